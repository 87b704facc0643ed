"""What is exported: the app with its process types, and the controller beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autoscaler.act.ports import Ports, find_port_mistakes, lay_out_ports
from autoscaler.model import ProcessType

PORT = 5000
METRICS_PORT = 15000
CONTROLLER = "autoscaler"  # its unit, its user and its folders
_LONGEST_UNIT_NAME = 255
_HIGHEST_NUMBER = 99999
_APP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?")
_PATH_TRAPS = re.compile(r"[\x00-\x1f\x7f\\*?\[\]]")  # EnvironmentFile= is a pattern, and a backslash would join lines
_VALUE_TRAPS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # systemd drops a variable that holds one
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")  # bytes of a Procfile that are no UTF-8 stand as surrogates


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A formation as units: every type has its ``command``, and ``directory`` is absolute and exists where the units run."""

    name: str
    directory: str
    types: tuple[ProcessType, ...]
    user: str | None  # whom the processes run as; None: the units are of a user's own manager
    port: int = PORT
    metrics_port: int = METRICS_PORT

    @property
    def is_for_user(self) -> bool:
        """Whether the units are for a user's own manager, in place of the system's."""
        return self.user is None

    @property
    def ports(self) -> Ports:
        """Return the layout that the local backend would choose for these types."""
        return lay_out_ports(self.port, self.metrics_port, self.types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """The autoscaler as a service: the words that start it, without ``run``, and the absolute path of its configuration."""

    program: tuple[str, ...]
    configuration: str


def find_mistakes(app: App) -> Iterator[str]:
    """Yield a sentence for everything that keeps the app from being exported; each names the fix."""
    if not _APP.fullmatch(app.name):
        yield f"{app.name!r} is no name of an app; use letters, digits, _ and - only, and begin with a letter or digit: --app NAME"
    if app.user is not None and not _USER.fullmatch(app.user):
        yield f"{app.user!r} is no name of a user; name the one that the app runs as: --run-as USER"
    if not app.directory.startswith("/") or _PATH_TRAPS.search(app.directory) or app.directory.strip() != app.directory:
        yield f"{app.directory!r} cannot stand in a unit; use an absolute path without control characters, \\, *, ?, [ and ]: --directory DIR"
    for each in app.types:
        yield from _find_type_mistakes(app.name, each)
    yield from (sentence for _, sentence in find_port_mistakes(app.ports, app.types))


def _find_type_mistakes(app_name: str, process_type: ProcessType) -> Iterator[str]:
    name = process_type.name
    if _NO_TEXT.search(process_type.command or ""):
        yield f"the command of {name} holds a NUL byte or bytes that are no UTF-8, which a unit cannot; put it into a script"
    for key, value in process_type.environment.items():
        if _VALUE_TRAPS.search(value) or _NO_TEXT.search(value):
            yield f"environment of {name}: {key} holds control characters, which systemd refuses; set it in the command"
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
            yield f"environment of {name}: {key!r} is no name of a variable to systemd; use letters, digits and _"
    too_long = len(f"{app_name}-{name}@{_HIGHEST_NUMBER}.service") - _LONGEST_UNIT_NAME
    if too_long > 0:
        yield f"the unit of {name} would have a name longer than {_LONGEST_UNIT_NAME} characters; choose shorter names, by {too_long}"
