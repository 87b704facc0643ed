"""Be the backend of systemd's units: hand changes to the engine's thread, and show what it published."""

from __future__ import annotations

from functools import partial
from threading import Event, Thread

from autoscaler.act.backend import BackendError
from autoscaler.act.event_loop import EventLoop
from autoscaler.act.happenings import Happenings
from autoscaler.act.roster import Roster
from autoscaler.act.systemd.engine import Engine
from autoscaler.act.systemd.ground import Ground
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.names import name_units
from autoscaler.act.systemd.reach import Reach
from autoscaler.act.systemd.type_state import TypeState
from autoscaler.act.systemd.wish import Wish
from autoscaler.clock import SystemClock
from autoscaler.model import Change, Formation, Outcome

_FIRST_SECONDS = 20.0  # until every host has answered or was given up, which ssh does after 10 s
_CLOSE_SECONDS = 2.0


class LiveSystemd:
    """A running connection to one systemd or several. The units are systemd's: they stay when it is closed."""

    def __init__(self, wish: Wish, *, may_act: bool = True) -> None:
        """Connect to every host; raise ``BackendError`` when none answers."""
        self.wish = wish
        self._may_act = may_act
        self._is_closed = False
        self._happenings = Happenings()
        self._begin()
        self._require_host()

    def _begin(self) -> None:
        """Start a thread that knows nothing and learns everything from systemd."""
        wish = self.wish
        self._roster: Roster[TypeState] = Roster()
        self._loop = EventLoop(SystemClock(), self._happenings.tell)
        hosts = tuple(Host(name=one.name, weight=one.weight, memory_bytes=one.memory_bytes, address=one.address) for one in wish.hosts)
        self._ground = Ground(
            loop=self._loop,
            roster=self._roster,
            happenings=self._happenings,
            hosts=hosts,
            may_act=self._may_act,
            persists=wish.persists,
            host_lost_seconds=wish.host_lost_seconds,
        )
        for state in self._list_states(wish):
            self._roster.types[state.name] = state
            self._roster.touch(state)
        self._roster.publish()
        self._engine = Engine(self._ground, self._reach_of, self._globs())
        self._thread = Thread(target=self._engine.run, name="autoscaler-systemd", daemon=True)
        self._thread.start()
        self._engine.first_heard.wait(_FIRST_SECONDS)

    @property
    def is_closed(self) -> bool:
        """Tell whether it was closed."""
        return self._is_closed

    def observe(self) -> Formation:
        """Return what runs now, as systemd last told; raise ``BackendError`` when no host answers."""
        self._check()
        return Formation(self._roster.read(), self._happenings.take())

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Set how many processes should run, and return before any is started or stopped."""
        self._check()
        refused = {change.process_type: error for change in changes if (error := self._refuse(change))}
        accepted = {change.process_type: change for change in changes if change.process_type not in refused}
        targets = {name: _at_most(change.target, self._roster.types[name].most) for name, change in accepted.items()}
        states = self._roster.set_desired(targets)
        for name, state in states.items():
            self._loop.call(partial(self._engine.scale, state, accepted[name]))
        short = {name: _describe_short(states[name], target) for name, target in targets.items() if target < accepted[name].target}
        return tuple(Outcome(change.process_type, refused.get(change.process_type) or short.get(change.process_type)) for change in changes)

    def close(self, hurry: Event) -> None:  # noqa: ARG002 - nothing is drained: the units stay
        """Let go of every host; harmless when closed."""
        self._is_closed = True
        self._loop.call(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)

    def reload(self, wish: Wish) -> None:
        """Take over other types, over the connections that are there."""
        self._check()
        self.wish = wish
        states, globs, is_taken = self._list_states(wish), self._globs(), Event()

        def replace() -> None:
            self._engine.replace(states, globs)
            is_taken.set()

        self._loop.call(replace)
        if not is_taken.wait(_FIRST_SECONDS) or not self._engine.first_heard.wait(_FIRST_SECONDS):
            raise BackendError("the thread of the systemd backend does not answer; end this autoscaler and start it again")

    def _list_states(self, wish: Wish) -> list[TypeState]:
        return [
            TypeState(
                process_type=each,
                units=name_units(wish.pattern, wish.ports, each, index),
                hosts=self._ground.hosts,
                metrics_port=wish.ports.metrics_port_of(index, 1) if wish.has_metrics_port else None,
            )
            for index, each in enumerate(wish.process_types)
        ]

    def _globs(self) -> tuple[str, ...]:
        return tuple(state.units.glob for state in self._list_states(self.wish))

    def _reach_of(self, host: Host) -> Reach:
        return Reach(host.name or None, self.wish.is_user, self.wish.ssh_config, self.wish.wants_memory)

    def _require_host(self) -> None:
        if not any(host.is_up for host in self._ground.hosts):
            causes = self._describe_silence()
            self.close(Event())
            raise BackendError(causes)

    def _describe_silence(self) -> str:
        return "; ".join(f"systemd of {host.place} does not answer: {host.lost_cause or 'no answer yet'}" for host in self._ground.hosts)

    def _check(self) -> None:
        if self._is_closed:
            raise BackendError("the connection to systemd was closed")
        if not self._thread.is_alive():
            self._happenings.tell("the thread of the systemd backend had failed, as its traceback says, and has begun anew; report it to its authors")
            self._begin()
        if not any(host.is_up for host in self._ground.hosts):
            raise BackendError(self._describe_silence())

    def _refuse(self, change: Change) -> str | None:
        name, state = change.process_type, self._roster.types.get(change.process_type)
        if state is None or state.is_removed:
            return f"{name} is not a process type of this formation; add it under formation:"
        if change.target < 0:
            return f"{name}: {change.target} processes cannot run; ask for 0 or more"
        if state.obstacle and change.target > state.desired:
            return f"{name}: {state.obstacle}"
        return state.hold


def _at_most(target: int, room: int | None) -> int:
    return target if room is None else min(target, room)


def _describe_short(state: TypeState, target: int) -> str:
    return (
        f"{state.name}: there are units for {target} processes only ({state.units.unit_of(1)} and so on); install more unit files, or use a template"
    )
