"""Run the real engine of the systemd backend on a virtual clock: a fake stands in only for time, for the wire and for the systemd behind it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from autoscaler.act.event_loop import Timer
from autoscaler.act.happenings import Happenings
from autoscaler.act.roster import Roster
from autoscaler.act.systemd.engine import Engine
from autoscaler.act.systemd.ground import Ground
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.names import TypeUnits
from autoscaler.act.systemd.reach import Reach
from autoscaler.act.systemd.type_state import TypeState
from autoscaler.act.systemd.values import NO_ANSWER, Answer, Inventory, Unit
from autoscaler.model import Change, ProcessType

DENIED = Answer(error="org.freedesktop.DBus.Error.AccessDenied", sentence="not for you")
DESTRUCTIVE = Answer(error="org.freedesktop.systemd1.TransactionIsDestructive", sentence="a stop job is queued")
LOST = Answer(error=NO_ANSWER, sentence="the connection broke")
_SUB_STATES = {"active": "running", "inactive": "dead", "failed": "failed", "activating": "start", "deactivating": "stop-sigterm"}
_MOST_ROUNDS = 5000


class VirtualLoop:
    """An event loop whose time moves only when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0
        self._timers: list[Timer] = []
        self._calls: deque[Callable[[], None]] = deque()
        self._serials = count()

    def now(self) -> float:
        return self.time

    def wall(self) -> float:
        return self.time

    def at(self, when: float, action: Callable[[], None]) -> Timer:
        timer = Timer(when, next(self._serials), action)
        heapq.heappush(self._timers, timer)
        return timer

    def call(self, action: Callable[[], None]) -> bool:
        self._calls.append(action)
        return True

    def run_due(self) -> bool:
        """Run what is due now; tell whether there was anything."""
        has_run = False
        while self._calls:
            self._calls.popleft()()
            has_run = True
        while self.next_due() <= self.time:
            heapq.heappop(self._timers).action()
            has_run = True
        return has_run

    def next_due(self) -> float:
        """Return when the next timer is due; infinity when there is none."""
        while self._timers and self._timers[0].action is None:
            heapq.heappop(self._timers)
        return self._timers[0].when if self._timers else float("inf")

    def count_timers(self) -> int:
        """Return how many timers wait, without the cancelled ones."""
        return sum(timer.action is not None for timer in self._timers)


@dataclass(frozen=True)
class Call:
    """What systemd was asked for, and when."""

    what: str
    unit: str
    at: float
    then: Callable[[Answer], None]

    def lose(self) -> None:
        self.then(LOST)


class FakeSystemd:
    """One systemd and the link to it: jobs go on step by step, and news and answers arrive in the order in which they were sent."""

    def __init__(self, loop: VirtualLoop, files: dict[str, str]) -> None:
        self.loop = loop
        self.files = files
        self.boot = 1
        self.units: dict[str, Unit] = {}
        self.jobs: dict[str, tuple[str, str]] = {}  # by unit: type and path
        self.calls: deque[Call] = deque()  # on their way to it
        self.log: list[Call] = []
        self.is_up = False
        self.is_slow = False  # it takes no calls
        self.tells_new_job_first = True  # when it takes the place of another
        self.stuck: set[str] = set()  # active states that no job leads on from
        self.broken: set[str] = set()  # units that cannot be started: what they need fails
        self.refusals: dict[str, Answer] = {}  # by what is asked for
        self._news: deque[tuple[Callable[[], None], Callable[[], None]]] = deque()  # and what takes their place when the connection breaks
        self._serials = count(1)

    def attach(self, host: Host) -> None:
        """Take the place of the link of a host."""
        self._watcher = host.link._watcher
        host.links[0] = self

    # What a link can do
    def start(self, unit: str, then: Callable[[Answer], None]) -> None:
        self._send("start", unit, then)

    def stop(self, unit: str, then: Callable[[Answer], None]) -> None:
        self._send("stop", unit, then)

    def reset_failed(self, unit: str, then: Callable[[Answer], None]) -> None:
        self._send("reset_failed", unit, then)

    def enable(self, unit: str, then: Callable[[Answer], None]) -> None:
        self._send("enable", unit, then)

    def disable(self, unit: str, then: Callable[[Answer], None]) -> None:
        self._send("disable", unit, then)

    def look_for(self, _: tuple[str, ...]) -> None:
        if self.is_up:
            self.loop.call(self.survey)

    # What happens to a systemd
    def unit(self, name: str) -> Unit:
        return replace(self.units.get(name) or Unit(name), job=self.jobs.get(name, ("", ""))[0])

    def list_in(self, *active_states: str) -> list[str]:
        """Return the units that are in one of these states."""
        return sorted(name for name, unit in self.units.items() if unit.active_state in active_states)

    def become(self, name: str, active_state: str, **fields: object) -> None:
        """Have a unit in another state, and say so."""
        now = {"sub_state": _SUB_STATES[active_state], **fields}
        self.units[name] = replace(self.units.get(name) or Unit(name), active_state=active_state, **now)
        self._tell(name)

    def crash(self, name: str) -> None:
        """Have the process of a unit end, and the unit with it."""
        self.become(name, "failed", result="exit-code")

    def queue(self, name: str, job_type: str) -> str:
        """Queue a job as anybody may, in place of another of its unit; return its path."""
        held = self.jobs.get(name)
        if held is not None and held[0] == job_type:
            return held[1]
        if held is not None and not self.tells_new_job_first:
            self.end_job(name, "canceled")
        self.jobs[name] = (job_type, f"/job/{self.boot}/{next(self._serials)}")
        self._tell(name)
        if held is not None and self.tells_new_job_first:
            self._tell_end(name, held[1], "canceled")
        return self.jobs[name][1]

    def end_job(self, name: str, result: str) -> None:
        """End the job of a unit, and say so before and after the unit has none."""
        self._tell(name)
        self._tell_end(name, self.jobs.pop(name)[1], result)
        self._tell(name)

    def lose(self) -> None:
        """Break the connection: what was under way is not told any more."""
        if self.is_up:
            self.is_up = False
            under_way = [*(instead for _, instead in self._news), *(call.lose for call in self.calls)]
            self._news.clear()
            self.calls.clear()
            self._watcher.lost("cut")
            for instead in under_way:
                instead()

    def answer(self) -> None:
        """Be there, from now on or again."""
        if not self.is_up:
            self.is_up = True
            self.survey()

    def reboot(self, *running: str) -> None:
        """End everything and begin anew, with these units running; the connection is lost."""
        self.lose()
        self.boot += 1
        self.jobs.clear()
        self.units = {name: Unit(name, active_state="active", sub_state="running") for name in running}

    def survey(self) -> None:
        """Tell everything, after what was told before."""
        while self.is_up and self.deliver():
            pass
        if self.is_up:
            self._watcher.up(Inventory({name: self.unit(name) for name in (*self.units, *self.jobs)}, dict(self.files), str(self.boot)))

    def unload(self) -> None:
        """Forget the units that do nothing, as systemd does with those that nothing refers to."""
        self.units = {name: unit for name, unit in self.units.items() if unit.active_state != "inactive" or name in self.jobs}

    def end_strange_job(self, name: str) -> None:
        """Tell of the end of a job, and nothing of its unit."""
        self._tell_end(name, "/job/0", "done")

    def shut_down(self) -> None:
        """Say that the machine goes down."""
        self._watcher.going_down()

    def measure(self, free_bytes: int) -> None:
        """Say how much memory is free."""
        self._watcher.memory(free_bytes)

    # One step at a time
    def work(self) -> bool:
        """Do one thing of each kind; tell whether there was anything to do."""
        return any([self.take_call(), self.deliver(), *(self.advance(name) for name in list(self.jobs))])

    def take_call(self) -> bool:
        """Take the next call."""
        if self.is_slow or not self.calls:
            return False
        call = self.calls.popleft()
        answer = self.refusals.get(call.what) or self._serve(call)
        self._send_back(partial(call.then, answer), call.lose)
        return True

    def deliver(self) -> bool:
        """Have the oldest of the news arrive."""
        if not self._news:
            return False
        self._news.popleft()[0]()
        return True

    def advance(self, name: str) -> bool:
        """Have the job of a unit do its next step."""
        job, now = self.jobs[name][0], self.unit(name).active_state
        if now in self.stuck:
            return False
        if (job, now) in (("start", "active"), ("stop", "inactive"), ("stop", "failed")):
            self.end_job(name, "done")
        elif now in ("inactive", "failed") and name in self.broken:
            self.end_job(name, "dependency")
        elif now in ("inactive", "failed"):
            self.become(name, "activating", result="success", restarts=0)
        elif now == "deactivating":
            self.jobs[name] = ("stop" if job == "stop" else "start", self.jobs[name][1])  # the second half of a restart is a start
            self.become(name, "inactive")
        elif job in ("stop", "restart"):
            self.become(name, "deactivating")
        else:
            self.become(name, "active")
        return True

    def _serve(self, call: Call) -> Answer:
        if call.what == "start" and self.unit(call.unit).job == "stop":
            return DESTRUCTIVE
        if call.what in ("start", "stop"):
            return Answer(job=self.queue(call.unit, call.what))
        if call.what == "reset_failed" and self.unit(call.unit).active_state == "failed":
            self.become(call.unit, "inactive", result="success")
        return Answer()

    def _send(self, what: str, unit: str, then: Callable[[Answer], None]) -> None:
        call = Call(what, unit, self.loop.time, then)
        self.log.append(call)
        if self.is_up:
            self.calls.append(call)
        else:
            self.loop.at(self.loop.time, call.lose)

    def _send_back(self, action: Callable[[], None], instead: Callable[[], None]) -> None:
        if self.is_up:
            self._news.append((action, instead))

    def _tell(self, name: str) -> None:
        self._send_back(partial(self._watcher.changed, self.unit(name)), _nothing)

    def _tell_end(self, name: str, path: str, result: str) -> None:
        self._send_back(partial(self._watcher.job_ended, path, name, result), _nothing)


class World:
    """A systemd backend's engine with all it acts on: process types, hosts, and a clock."""

    def __init__(self, *process_types: ProcessType, hosts: tuple[str, ...] = ("",), **ground: object) -> None:
        self.loop = VirtualLoop()
        self._happenings = Happenings()
        self.roster: Roster[TypeState] = Roster()
        self.hosts = tuple(Host(name=name) for name in hosts)
        self._ground = Ground(loop=self.loop, roster=self.roster, happenings=self._happenings, hosts=self.hosts, **ground)
        for state in self._states(process_types or (web(),)):
            self.roster.types[state.name] = state
            self.roster.touch(state)
        self.roster.publish()
        self.engine = Engine(self._ground, lambda host: Reach(host.name or None), ())
        self.systemds = [FakeSystemd(self.loop, {"app-web@.service": "disabled", "app-job@.service": "disabled"}) for _ in hosts]
        for host, systemd in zip(self.hosts, self.systemds, strict=True):
            systemd.attach(host)

    @classmethod
    def heard(cls, *process_types: ProcessType, **ground: object) -> World:
        """Make a world whose hosts have all told what they have, which is nothing."""
        world = cls(*process_types, **ground)
        for systemd in world.systemds:
            systemd.answer()
        world.rest()
        return world

    @property
    def systemd(self) -> FakeSystemd:
        """Return the systemd of the first host."""
        return self.systemds[0]

    def state(self, name: str = "web") -> TypeState:
        return self.roster.types[name]

    def instance(self, number: int = 1, host: str = "", name: str = "web"):
        return self.state(name).instances[host, number]

    def see(self, name: str = "web"):
        """Return what is published of a type."""
        return self.roster.read()[name]

    def told(self) -> str:
        """Return what happened since this was last asked."""
        return "\n".join(self._happenings.take())

    def ask(self, processes: int, name: str = "web") -> None:
        """Say how many processes there should be; nothing has come of it yet."""
        for state in self.roster.set_desired({name: processes}).values():
            self.engine.scale(state, Change(name, 0, processes, "asked for", {}))
        self.round()

    def scale(self, processes: int, name: str = "web") -> None:
        """Say how many processes there should be, and see it through as far as no time is needed."""
        self.ask(processes, name)
        self.rest()

    def reload(self, *process_types: ProcessType) -> None:
        """Take over other types."""
        self.engine.replace(self._states(process_types), ())

    def round(self) -> bool:
        """Run one round of the loop; tell whether anything was due."""
        has_run = self.loop.run_due()
        self.engine._after_round()
        return has_run

    def rest(self) -> None:
        """Have everything happen that needs no time."""
        for _ in range(_MOST_ROUNDS):
            if not any([self.round(), *(systemd.work() for systemd in self.systemds)]):
                return
        raise AssertionError(f"no rest after {_MOST_ROUNDS} rounds")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.loop.time + seconds
        self.rest()
        while (due := self.loop.next_due()) <= end:
            self.loop.time = max(self.loop.time, due)
            self.rest()
        self.loop.time = end
        self.rest()

    def _states(self, process_types: tuple[ProcessType, ...]) -> list[TypeState]:
        return [TypeState(process_type=each, units=TypeUnits(f"app-{each.name}@"), hosts=self.hosts) for each in process_types]


def web(name: str = "web", **fields: object) -> ProcessType:
    """Make a process type."""
    return ProcessType(name=name, minimum=0, maximum=50, **fields)


def unit_of(number: int, name: str = "web") -> str:
    """Name a unit."""
    return f"app-{name}@{number}.service"


def _nothing() -> None:
    pass
