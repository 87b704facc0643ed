"""Say what to type to install exported units."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from autoscaler.export.app import CONTROLLER, App, Controller
from autoscaler.export.systemd import CONFIGURATION, SYSUSERS, polkit_name

_UNIT_ENDINGS = (".service", ".socket", ".target")
USER_FOLDER = "~/.config"  # as a shell reads it; in a unit it is %h/.config


def say_installation(app: App, names: Iterable[str], folder: str, configuration: str | None) -> Iterator[str]:
    """Yield the commands in their order; ``configuration`` is an existing one, None for the one among the files in ``folder``."""
    names = tuple(names)
    units = [name for name in names if name.endswith(_UNIT_ENDINGS)]
    put = "install -D -m 0644"
    yield f"{put} -t {_unit_folder(app)} {' '.join(_place(folder, name) for name in units)}"
    yield f"{put} {shlex.quote(configuration) if configuration else _place(folder, CONFIGURATION)} {_configuration_folder(app)}/{CONFIGURATION}"
    if not app.is_for_user:
        yield f"{put} {_place(folder, SYSUSERS)} /etc/sysusers.d/{CONTROLLER}.conf"
        yield f"systemd-sysusers /etc/sysusers.d/{CONTROLLER}.conf"
        yield f"{put} -t /etc/polkit-1/rules.d {_place(folder, polkit_name(app))}"
    systemctl = "systemctl --user" if app.is_for_user else "systemctl"
    yield f"{systemctl} daemon-reload"
    sockets = [name for name in units if name.endswith(".socket")]
    yield f"{systemctl} enable --now {' '.join([*sockets, f'{CONTROLLER}.service'])}"
    yield f"{systemctl} status {CONTROLLER}.service"


def choose_controller(program: tuple[str, ...], *, is_for_user: bool) -> Controller:
    """Return the controller whose configuration lies where ``say_installation`` puts it."""
    folder = "%h/.config" if is_for_user else "/etc"
    return Controller(program=program, configuration=f"{folder}/{CONTROLLER}/{CONFIGURATION}")


def _unit_folder(app: App) -> str:
    return f"{USER_FOLDER}/systemd/user" if app.is_for_user else "/etc/systemd/system"


def _configuration_folder(app: App) -> str:
    return f"{USER_FOLDER if app.is_for_user else '/etc'}/{CONTROLLER}"


def _place(folder: str, name: str) -> str:
    return shlex.quote(f"{folder.rstrip('/')}/{name}")
