"""Configure the backend that runs processes as children on this machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar

from autoscaler.act.backend import Backend, BackendError, require_sound
from autoscaler.act.local.live import LiveLocal, ObservedLocal, Wish
from autoscaler.act.ports import HIGHEST_PORT, find_port_mistakes, lay_out_ports
from autoscaler.act.procfile import ProcfileError, read_procfile
from autoscaler.model import Help, Number, PathName, ProcessType

PortNumber = Annotated[int, Number(at_least=1, at_most=HIGHEST_PORT)]


@dataclass(frozen=True, slots=True)
class Local:
    """Run the formation as child processes of the autoscaler; they end with it."""

    procfile: Annotated[PathName, Help("commands by process type; not needed when every type has its own command")] = "Procfile"
    port: Annotated[PortNumber, Help("PORT of the first process; the next type has it 100 higher, the next process 1 higher")] = 5000
    metrics_port: Annotated[PortNumber, Help("METRICS_PORT of the first process, counted like PORT")] = 15000

    # Where the children's output goes: no configuration, the command line sets it before it connects.
    output: ClassVar[int] = 1
    drains: ClassVar[bool] = True  # its processes end with the controller

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Lock the formation and stand ready to start processes, or take them over from ``previous``.

        Raise ``BackendError`` for mistakes, a second controller and addresses in use, before any process is started.
        """
        _require_linux()
        wish = self._wish(process_types)
        if isinstance(previous, LiveLocal) and not previous.is_closed:
            previous.reload(wish)
            return previous
        return LiveLocal(wish)

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Look at what the running autoscaler of this Procfile has; zeros when none runs."""
        _require_linux()
        return ObservedLocal(process_types, self._path())

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that would keep this backend from running them."""
        commands, problem = self._read_commands(process_types)
        found = [(each.name, problem or self._describe_missing(each)) for each in process_types if each.name not in commands]
        found += find_port_mistakes(lay_out_ports(self.port, self.metrics_port, process_types), process_types)
        return (*found, *_find_socket_mistakes(process_types))

    def starts_on_connection(self, process_type: ProcessType) -> bool:
        """Tell whether a connection starts the first process of the type, so that it can leave zero without a metric."""
        return process_type.socket == "shared"

    def _wish(self, process_types: tuple[ProcessType, ...]) -> Wish:
        require_sound(self.mistakes(process_types))
        commands, _ = self._read_commands(process_types)
        return Wish(
            process_types=tuple(replace(each, command=commands[each.name]) for each in process_types),
            procfile=self._path(),
            ports=lay_out_ports(self.port, self.metrics_port, process_types),
            output=self.output,
        )

    def _path(self) -> Path:
        return Path(self.procfile).resolve()

    def _read_commands(self, process_types: tuple[ProcessType, ...]) -> tuple[Mapping[str, str], str | None]:
        """Return the command of each type that has one, and why the Procfile could not be read when it was needed."""
        commands = {each.name: each.command for each in process_types if each.command}
        if len(commands) == len(process_types) or not self._path().exists():
            return commands, None
        try:
            return {**read_procfile(self._path()).commands, **commands}, None
        except ProcfileError as error:
            return commands, str(error)

    def _describe_missing(self, process_type: ProcessType) -> str:
        where = f"no line of that name in {self.procfile}" if self._path().exists() else f"there is no {self.procfile}"
        return f"{process_type.name} has no command and {where}; add `command:` to the type or a line '{process_type.name}: ...' to the Procfile"


def _find_socket_mistakes(process_types: tuple[ProcessType, ...]) -> Iterator[tuple[str, str]]:
    """Yield types whose readiness would mean nothing, and types that want the same address."""
    first_at: dict[str, str] = {}
    for each in process_types:
        if each.socket == "shared" and each.ready == "port":
            yield each.name, f"{each.name}: ready: port says nothing with socket: shared, whose port is always open; use ready: lived or notify"
        if each.socket == "shared" and each.listen and each.listen.port:
            other = first_at.setdefault(str(each.listen), each.name)
            if other != each.name:
                yield each.name, f"{each.name} listens on {each.listen} like {other}; choose another port for one of them"


def _require_linux() -> None:
    if sys.platform != "linux":
        raise BackendError(f"backend local needs Linux and this is {sys.platform}; use an HTTP backend, or dry_run")
