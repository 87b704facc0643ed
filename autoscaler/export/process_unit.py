"""Write the units of a process type: a template with one instance for each process, and the socket they share."""

from __future__ import annotations

import re

from autoscaler.act.local.server_command import add_exec
from autoscaler.export.app import App
from autoscaler.export.quoting import escape_command, escape_specifiers, quote_assignment, write_seconds
from autoscaler.model import ProcessType

_READ_ONLY = ("/usr/", "/boot/", "/efi/", "/etc/", "/lib/", "/lib64/", "/bin/", "/sbin/")  # under ProtectSystem=full

_BECOMES_ITS_LAST = re.compile(r"(?:&&|;)\s*exec\s[^;&|()`\n'\"]*$")  # cd lib && exec server

_UNIT = """\
# {name}@N.service is process N of the type {type}. The autoscaler starts and stops them; so can you: systemctl start {name}@1
[Unit]
Description={app} {type}.%i
After=network.target
PartOf={app}.target
# No start limit, on purpose: a process that crashes is started again for as long as it is wanted. The autoscaler sees that
# it crashes in a loop, says so, and adds no more of its type.
StartLimitIntervalSec=0

[Service]
Type={kind}
{user}WorkingDirectory={directory}
# PS, PORT and METRICS_PORT are as with Foreman: {type}.1 has {port} and {metrics_port}, {type}.2 the next, and so on.
Environment=PS={type}.%i
{environment}# Unlike Foreman, systemd takes a backslash out of a value without quotes, keeps \\n between double quotes as two characters, and
# drops spaces at the end. What this file says wins over the lines above, and PORT over what it says. It need not be there.
EnvironmentFile=-{environment_file}
ExecStart=/bin/sh -c '{command}'
{sockets}Restart=always
RestartSec=1s
{kill_comment}KillMode={kill_mode}
TimeoutStopSec={stop_timeout}
SyslogIdentifier={name}.%i

{hardening}
[Install]
# Only for `persist: true`, which enables what it starts: otherwise the controller starts the formation after a reboot.
WantedBy={wanted_by}
"""
_ONE_PROGRAM = "# TERM goes to the main process alone, which may have children to tell in its own way; KILL goes to all.\n"
_SHELL = """\
# The shell stays the main process of this command, so TERM goes to all: else its end would be the end of what it runs. A
# process may see TERM twice. Write `exec` before the last program (cd lib && exec server) and it is told once, alone.
"""
_HARDENING = """\
# None of this keeps an app from its files, its sockets in /tmp or its devices. NoNewPrivileges does keep it from sudo and from a
# sendmail that is setgid: an app that needs them says so in a drop-in: systemctl edit {name}@.service
NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
"""
_HARDENING_OF_THE_SYSTEM = """\
ProtectSystem=full
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectHostname=yes
"""
_SOCKET = """\
# The one listening socket that all processes of the type {type} share. With no process there, a connection starts the first.
[Unit]
Description={app} {type} socket

[Socket]
ListenStream={listen}
Service={name}@1.service

[Install]
WantedBy=sockets.target
"""


def write_process_unit(app: App, index: int) -> str:
    """Write the template of the type at ``index``; its ports follow from the index, as with the local backend."""
    process_type = app.types[index]
    command = process_type.command or ""
    with_exec = command if _BECOMES_ITS_LAST.search(command) else add_exec(command)
    port, metrics_port = (f"$(({first}+%i-1))" for first in _first_ports(app, index))
    return _UNIT.format(
        app=app.name,
        name=unit_name(app, process_type),
        type=process_type.name,
        kind="notify" if process_type.ready == "notify" else "simple",
        user="" if app.user is None else f"User={app.user}\n",
        directory=escape_specifiers(app.directory),
        port=app.ports.port_of(index, 1),
        metrics_port=app.ports.metrics_port_of(index, 1),
        environment=_environment(process_type),
        environment_file=escape_specifiers(f"{app.directory.rstrip('/')}/.env"),
        command=f"export PORT={port} METRICS_PORT={metrics_port}; ".replace("$", "$$") + escape_command(with_exec or command),
        sockets=_sockets(app, process_type) + _readiness(process_type, is_shell=with_exec is None),
        kill_comment=_SHELL if with_exec is None else _ONE_PROGRAM,
        kill_mode="control-group" if with_exec is None else "mixed",
        stop_timeout=write_seconds(process_type.stop_timeout_seconds),
        hardening=_hardening(app, process_type),
        wanted_by="default.target" if app.is_for_user else "multi-user.target",
    )


def write_socket_unit(app: App, process_type: ProcessType) -> str:
    """Write the socket of a type with ``socket: shared``."""
    return _SOCKET.format(app=app.name, name=unit_name(app, process_type), type=process_type.name, listen=process_type.listen)


def unit_name(app: App, process_type: ProcessType) -> str:
    """Return what the units of a type begin with, such as ``app-web``."""
    return f"{app.name}-{process_type.name}"


def _first_ports(app: App, index: int) -> tuple[int, int]:
    return app.ports.port_of(index, 1), app.ports.metrics_port_of(index, 1)


def _environment(process_type: ProcessType) -> str:
    variables = {"PYTHONUNBUFFERED": "1", **process_type.environment}  # else what a Python app prints reaches the journal late
    return "".join(f"Environment={quote_assignment(key, value)}\n" for key, value in variables.items())


def _sockets(app: App, process_type: ProcessType) -> str:
    return f"Sockets={unit_name(app, process_type)}.socket\n" if process_type.socket == "shared" else ""


def _readiness(process_type: ProcessType, *, is_shell: bool) -> str:
    if process_type.ready != "notify":
        return ""
    return f"NotifyAccess={'all' if is_shell else 'main'}\nTimeoutStartSec={write_seconds(process_type.start_timeout_seconds)}\n"


def _hardening(app: App, process_type: ProcessType) -> str:
    common = _HARDENING.format(name=unit_name(app, process_type))
    if app.is_for_user:
        return common  # a user's manager cannot do the rest
    own = f"{app.directory.rstrip('/')}/"
    writable = f"ReadWritePaths=-{escape_specifiers(app.directory)}\n" if own.startswith(_READ_ONLY) else ""
    return common + _HARDENING_OF_THE_SYSTEM + writable
