"""Hold every process type, number and run of the local formation."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from autoscaler.act.event_loop import Timer
from autoscaler.act.local.server_command import add_exec
from autoscaler.act.local.spawn import Child
from autoscaler.act.local.streams import OutputStream
from autoscaler.act.starts import Start, StartHistory
from autoscaler.model import Address, Counts, Process, ProcessState, ProcessType, TypeFormation

_LOOPBACK = "127.0.0.1"


@dataclass(slots=True, eq=False, kw_only=True)
class Run:
    """One run of a process, from its start until the last of its descendants is gone."""

    serial: int
    slot: Slot
    process_type: ProcessType  # as it was configured at the start
    child: Child
    stream: OutputStream
    start: Start
    started_at: float
    ports: tuple[int, ...]  # that no other process may have meanwhile
    ready_at: float | None = None
    status: int | None = None  # of the leader; negative for a signal; None while it lives
    ended_at: float = 0.0
    scans: int = 0
    is_group_told: bool = False  # the one TERM was sent
    is_killed: bool = False
    told: set[int] = field(default_factory=set)  # descendants outside the group that got their TERM
    descendants: dict[int, int] = field(default_factory=dict)  # pid -> pidfd, of those that must be waited for
    deadline: Timer | None = None
    timers: list[Timer] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Return the pid of the leader, which is its group and session too; kept as a zombie until the run is over."""
        return self.child.process.pid


@dataclass(slots=True, eq=False, kw_only=True)
class Slot:
    """The place of a process, ``web.1``, with its number, through all its runs; its ports are those of the last start."""

    type_state: TypeState
    number: int
    port: int = 0
    metrics_port: int = 0
    state: ProcessState = "starting"
    run: Run | None = None
    failures: int = 0  # in a row
    failed_at: float = 0.0
    note: str | None = None
    restart: Timer | None = None

    @property
    def name(self) -> str:
        """Return ``web.1``."""
        return f"{self.type_state.name}.{self.number}"

    @property
    def is_retired(self) -> bool:
        """Tell whether it was told to stop: it is never started again."""
        return self.state == "draining"

    def describe(self) -> Process:
        """Return it as a value; one that waits for its ports serves no metrics yet."""
        return Process(self.name, self.state, Address(_LOOPBACK, self.metrics_port) if self.run else None)


@dataclass(slots=True, eq=False, kw_only=True)
class TypeState:
    """A process type as it is run now."""

    process_type: ProcessType
    index: int  # its place in the port numbering
    room: int  # how many numbers have a port
    desired: int = 0
    waiting: int = 0  # more that are desired, until draining ones give their numbers free
    is_removed: bool = False
    starts: int = 0
    drains_killed: int = 0
    slots: dict[int, Slot] = field(default_factory=dict)
    history: StartHistory = field(default_factory=StartHistory)

    @property
    def name(self) -> str:
        """Return the process type's name."""
        return self.process_type.name

    @property
    def wanted(self) -> int:
        """Return how many processes it should have: what was asked for, and of a singleton never two."""
        if self.is_removed:
            return 0
        return min(self.desired, 1) if self.process_type.is_singleton else self.desired

    def list_active(self) -> list[Slot]:
        """Return the slots that are not draining, lowest number first."""
        return [self.slots[number] for number in sorted(self.slots) if not self.slots[number].is_retired]

    def add_slots(self, count: int) -> list[Slot]:
        """Take the lowest free numbers; those of draining processes are not free, and who finds none waits, as a singleton does for its last."""
        free = (number for number in range(1, self.room + 1) if number not in self.slots)
        most = 0 if self.process_type.is_singleton and self.slots else count
        added = [Slot(type_state=self, number=number) for number in islice(free, most)]
        self.slots.update({slot.number: slot for slot in added})
        self.waiting = count - len(added)
        return added

    def describe(self) -> TypeFormation:
        """Return what runs of this type as a value."""
        slots = [self.slots[number] for number in sorted(self.slots)]
        running = sum(slot.state == "running" for slot in slots)
        return TypeFormation(
            counts=self._count(slots),
            processes=tuple(slot.describe() for slot in slots),
            startup_seconds=self.history.startup_seconds,
            is_crash_looping=self.history.is_crash_looping(running),
            starts=self.starts,
            drains_killed=self.drains_killed,
            notes=tuple(self._list_notes(slots, running)),
        )

    def describe_waiting(self) -> str:
        """Say why there are fewer processes than desired."""
        if self.process_type.is_singleton:
            return f"{self.name} is a singleton: its next process starts when the one that drains has ended"
        return f"{self.name}: {self.waiting} more start when draining ones have ended: there are ports for {self.room} at a time"

    def _count(self, slots: list[Slot]) -> Counts:
        states = [slot.state for slot in slots]
        return Counts(
            desired=self.desired,
            running=states.count("running"),
            starting=states.count("starting") + self.waiting,
            draining=states.count("draining"),
            failed=states.count("failed"),
        )

    def _list_notes(self, slots: list[Slot], running: int) -> list[str]:
        notes = [slot.note for slot in slots if slot.note]
        if self.waiting:
            notes.append(self.describe_waiting())
        command = self.process_type.command or ""
        if self.process_type.socket == "shared" and "exec " not in command and add_exec(command) is None:
            notes.append(f"{self.name}: write `exec` before the server's command, or LISTEN_PID is the shell's and the server finds no socket")
        if self.history.is_crash_looping(running):
            failed, counted = self.history.count_failures(running)
            notes.append(f"{self.name} is crash looping: {failed} of its last {counted} starts failed; its own output says why")
        return notes
