"""Write the unit of the controller, with a user and rights of its own."""

from __future__ import annotations

from autoscaler.export.app import CONTROLLER, App, Controller
from autoscaler.export.quoting import quote_word

_HOMES = ("/home/", "/root/", "/run/user/")

_UNIT = """\
# The controller of the formation {app}. It starts and stops the processes by systemd; when it ends, they stay.
[Unit]
Description=Autoscaler of {app}
After=network.target{after}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
# Secrets that the configuration names as ${{NAME}}, one NAME=value a line; it need not be there.
EnvironmentFile=-{environment_file}
{user}Restart=always
RestartSec=1s
# The loop that decides shows a sign of life; one that hangs is killed and started anew.
WatchdogSec=30s
KillMode=mixed
# Pauses are kept here, and outlive the controller.
RuntimeDirectory={controller}
RuntimeDirectoryPreserve=yes

{hardening}
[Install]
WantedBy={wanted_by}
"""
_USER = """\
User={controller}
# The home of this user: its .ssh/ holds the key and the known_hosts for `hosts:`.
StateDirectory={controller}
StateDirectoryMode=0700
"""
_HARDENING_FOR_ALL = """\
UMask=0022
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""
_HARDENING = """\
# Everything is read-only to it but its own two folders. Where it must write, as beside a SQLite database in WAL mode that it
# reads, or for --record, add to a drop-in: ReadWritePaths=/srv/app/db
ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
CapabilityBoundingSet=
AmbientCapabilities=
"""
_SYSUSERS = """\
# The user that the controller runs as; systemd-sysusers makes it.
u {controller} - "Autoscaler of the formation" /var/lib/{controller}
"""
_POLKIT = """\
// Lets the controller start, stop and reset the processes of {app}, and nothing else.
polkit.addRule(function (action, subject) {{
    if (action.id === "org.freedesktop.systemd1.manage-units" && subject.user === "{controller}" &&
        ["start", "stop", "reset-failed"].indexOf(action.lookup("verb")) >= 0 &&
        /^{app}-({types})@[0-9]+\\.service$/.test(action.lookup("unit"))) {{
        return polkit.Result.YES;
    }}
    // `persist: true` enables and disables units. systemd does not say which ones it is asked for, so this would allow all:
    // if (action.id === "org.freedesktop.systemd1.manage-unit-files" && subject.user === "{controller}") {{
    //     return polkit.Result.YES;
    // }}
}});
"""


def write_controller_unit(app: App, controller: Controller) -> str:
    """Write the service of the controller."""
    configuration = controller.configuration
    hardening = "" if app.is_for_user else _HARDENING.format(protect_home="read-only" if _reads_a_home(controller) else "yes")
    return _UNIT.format(
        app=app.name,
        controller=CONTROLLER,
        after="" if app.is_for_user else " dbus.socket",
        command=" ".join(map(_write_word, (*controller.program, "run", "-c", configuration))),
        environment_file=f"{configuration.rpartition('/')[0]}/{CONTROLLER}.env",
        user="" if app.is_for_user else _USER.format(controller=CONTROLLER),
        hardening=_HARDENING_FOR_ALL + hardening,
        wanted_by="default.target" if app.is_for_user else "multi-user.target",
    )


def write_sysusers() -> str:
    """Write the user of the controller for systemd-sysusers (sysusers.d(5))."""
    return _SYSUSERS.format(controller=CONTROLLER)


def write_polkit_rule(app: App) -> str:
    """Write what the controller's user may do, for polkit 0.106 and newer: no more than its backend does."""
    return _POLKIT.format(app=app.name, controller=CONTROLLER, types="|".join(each.name for each in app.types))


def _reads_a_home(controller: Controller) -> bool:
    return any(word.startswith(_HOMES) for word in controller.program)


def _write_word(word: str) -> str:
    return word if word.startswith("%h/") else quote_word(word)  # the home of the user whose manager it is
