"""Configure the backend that starts and stops units of systemd."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from autoscaler.act.backend import Backend, BackendError, require_sound
from autoscaler.act.ports import HIGHEST_PORT, Ports, lay_out_ports
from autoscaler.act.systemd.names import DEFAULT_PATTERN, check_pattern, find_name_mistakes
from autoscaler.act.systemd.wish import HostWish, Wish
from autoscaler.model import Bytes, Duration, Help, Number, PathName, Positive, ProcessType

_APART = 15000  # lays out metrics ports where nobody asks for them: far from the others, whichever way there is room
PortNumber = Annotated[int, Number(at_least=1, at_most=HIGHEST_PORT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """A host with more to say of it than its name."""

    host: Annotated[str, Help("where ssh finds it, as in `ssh HOST`: a name, USER@NAME, or an alias of the ssh configuration")]
    weight: Annotated[Positive, Help("its share of the processes: 2 takes twice as many as 1")] = 1.0
    memory_bytes: Annotated[Bytes | None, Help("memory that its processes may take together, of types that say memory")] = None
    address: Annotated[str | None, Help("where its processes serve their metrics; default the host's name")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Systemd:
    """Run the formation as units of systemd, on this machine or on several hosts; they stay when the autoscaler ends."""

    unit: Annotated[str, Help("name of a process's unit: {type}, and {n} for its number or {port} for its port")] = DEFAULT_PATTERN
    user: Annotated[bool, Help("units of the user's own systemd (systemctl --user) instead of the system's")] = False
    port: Annotated[PortNumber, Help("{port} of the first process; the next type has it 100 higher, the next process 1 higher")] = 5000
    metrics_port: Annotated[PortNumber | None, Help("where the first process serves its metrics, counted like port; default nowhere")] = None
    persist: Annotated[bool, Help("enable what is started and disable what is stopped, so that a reboot brings the formation back")] = False
    hosts: Annotated[tuple[str | HostEntry, ...], Help("hosts to spread the processes over, reached by ssh; default this machine")] = ()
    host_lost_after_seconds: Annotated[Duration, Help("how long a host may not answer until its processes are replaced elsewhere")] = 300.0
    ssh_config: Annotated[PathName | None, Help("configuration of ssh to use in place of the user's own")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a pattern that names no units, and for hosts that cannot be."""
        check_pattern(self.unit)
        names = [entry.host for entry in self._entries()]
        wrong = [name for name in names if not re.fullmatch(r"[^\s\x00-\x1f-][^\s\x00-\x1f]*", name)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no host; write a name, USER@NAME or an alias of the ssh configuration")
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise ValueError(f"host {twice[0]} is named twice; give it a higher weight instead")

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Connect to every host; raise ``BackendError`` when none answers. A reload keeps the connections where the hosts are the same."""
        from autoscaler.act.systemd import live  # noqa: PLC0415 - it needs an extra, and time to load

        _require_systemd()
        wish = self._wish(process_types)
        if isinstance(previous, live.LiveSystemd) and not previous.is_closed and previous.wish == wish:
            previous.reload(wish)
            return previous
        return live.LiveSystemd(wish)

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Connect to every host to look only; no unit is touched."""
        from autoscaler.act.systemd import live  # noqa: PLC0415 - as above

        _require_systemd()
        return live.LiveSystemd(self._wish(process_types), may_act=False)

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that would keep this backend from running them."""
        own = [(each.name, sentence) for each in process_types for sentence in _list_foreign(each)]
        return (*find_name_mistakes(self.unit, self._ports(process_types), process_types), *own)

    def _entries(self) -> list[HostEntry]:
        return [HostEntry(host=host) if isinstance(host, str) else host for host in self.hosts]

    def _ports(self, process_types: tuple[ProcessType, ...]) -> Ports:
        unused = self.port + (_APART if self.port <= HIGHEST_PORT // 2 else -_APART)
        return lay_out_ports(self.port, self.metrics_port or unused, process_types)

    def _wish(self, process_types: tuple[ProcessType, ...]) -> Wish:
        require_sound(self.mistakes(process_types))
        return Wish(
            pattern=self.unit,
            is_user=self.user,
            hosts=tuple(_wish_of(entry) for entry in self._entries()) or (HostWish(),),
            persists=self.persist,
            host_lost_seconds=self.host_lost_after_seconds,
            ssh_config=self.ssh_config,
            wants_memory=any(each.memory_bytes is not None for each in process_types),
            has_metrics_port=self.metrics_port is not None,
            ports=self._ports(process_types),
            process_types=process_types,
        )


def _wish_of(entry: HostEntry) -> HostWish:
    address = entry.address or entry.host.rpartition("@")[2]
    return HostWish(name=entry.host, weight=entry.weight, memory_bytes=entry.memory_bytes, address=address)


def _list_foreign(process_type: ProcessType) -> Iterator[str]:
    """Yield a sentence for each key that only a process started by the controller itself can have."""
    for key, has in (
        ("socket", process_type.socket != "none"),
        ("listen", process_type.listen is not None),
        ("ready: port", process_type.ready == "port"),
    ):
        if has:
            yield f"{key} is not for units of systemd, whose own files say how they run; remove it"


def _require_systemd() -> None:
    if sys.platform != "linux":
        raise BackendError(f"backend systemd needs Linux and this is {sys.platform}; use an HTTP backend, or dry_run")
    if importlib.util.find_spec("jeepney") is None:
        raise BackendError("backend systemd needs the package jeepney; install formation-autoscaler[systemd]")
