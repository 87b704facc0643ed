"""Whatever happens to one host or two, in whatever order: once all is at rest, what is desired runs, and it is counted right."""

import os
from random import Random

import pytest

from tests.act.systemd.virtual import DENIED, FakeSystemd, World, unit_of, web

_STEPS = 60
_HIGHEST = 6
_MOST_TIMERS = 50
_WALKS = int(os.environ.get("LAWS_EXAMPLES", "10000")) if os.environ.get("HYPOTHESIS_PROFILE") == "laws" else 70  # for each kind of world
_SEEDS_OF_A_TEST = 10
_SHUTDOWN_SECONDS = 301.0
_SETTLING_SECONDS = 31.0


class Walk:
    """One walk of a world: what an operator, a machine, a wire and the controller may do, one after the other."""

    def __init__(self, seed: int, hosts: tuple[str, ...], *, is_singleton: bool) -> None:
        self.random = Random(seed)
        self.is_singleton = is_singleton
        self.types = (web(is_singleton=is_singleton), web("job"))
        self.world = World.heard(*self.types, hosts=hosts, host_lost_seconds=60.0)
        self.done: list[str] = []
        for systemd in self.world.systemds:
            systemd.tells_new_job_first = self.random.random() < 0.7

    def step(self) -> None:
        """Do one thing, and let some of what follows from it happen."""
        move = self.random.choice(_MOVES)
        systemd = self.random.choice(self.world.systemds)
        self.done.append(move.__name__)
        move(self, systemd, unit_of(self.random.randint(1, _HIGHEST), self.random.choice(["web", "job"])))
        for _ in range(self.random.randint(0, 6)):
            self._work(self.random.choice(self.world.systemds))
        self.world.round()

    def _work(self, systemd: FakeSystemd) -> None:
        jobs = [lambda name=name: systemd.advance(name) for name in systemd.jobs]
        self.random.choice([systemd.take_call, systemd.deliver, self.world.round, *jobs])()

    def come_to_rest(self) -> None:
        """Have every host answer and do as it is told, and nothing else happen for a while."""
        for systemd in self.world.systemds:
            systemd.refusals, systemd.broken = {}, set()
            systemd.answer()
        self.world.wait(_SHUTDOWN_SECONDS)
        for _ in range(3):
            self.world.wait(_SETTLING_SECONDS)
            for systemd in self.world.systemds:
                systemd.survey()
        self.world.rest()

    # What may happen
    def scale(self, _: FakeSystemd, unit: str) -> None:
        name = "web" if _is_of("web", unit) else "job"
        if name in self.world.roster.types and self.world.state(name).hold is None:
            self.world.ask(self.random.randint(0, _HIGHEST), name)

    def operator_stops(self, systemd: FakeSystemd, unit: str) -> None:
        if unit in systemd.units or unit in systemd.jobs:
            systemd.queue(unit, "stop")

    def operator_starts(self, systemd: FakeSystemd, unit: str) -> None:
        if not (self.is_singleton and "web" in unit):
            systemd.queue(unit, "start")

    def operator_restarts(self, systemd: FakeSystemd, unit: str) -> None:
        if systemd.unit(unit).active_state == "active":
            systemd.queue(unit, "restart")

    def process_crashes(self, systemd: FakeSystemd, unit: str) -> None:
        if systemd.unit(unit).active_state == "active" and unit not in systemd.jobs:
            systemd.crash(unit)

    def connection_breaks(self, systemd: FakeSystemd, _: str) -> None:
        systemd.lose()

    def host_answers(self, systemd: FakeSystemd, _: str) -> None:
        systemd.answer()

    def host_reboots(self, systemd: FakeSystemd, _: str) -> None:
        if self.random.random() < 0.3:
            systemd.reboot()

    def host_shuts_down(self, systemd: FakeSystemd, _: str) -> None:
        if systemd.is_up and self.random.random() < 0.2:
            systemd.shut_down()

    def permission_comes_or_goes(self, systemd: FakeSystemd, _: str) -> None:
        systemd.refusals = {} if systemd.refusals else {self.random.choice(["start", "stop"]): DENIED}

    def dependency_comes_or_goes(self, systemd: FakeSystemd, unit: str) -> None:
        systemd.broken ^= {unit}

    def host_is_surveyed(self, systemd: FakeSystemd, _: str) -> None:
        if self.random.random() < 0.5:
            systemd.unload()
        systemd.survey()

    def time_passes(self, *_: object) -> None:
        self.world.wait(self.random.choice([1.0, 20.0, 70.0, 400.0]))

    def types_are_reloaded(self, *_: object) -> None:
        self.world.reload(*self.types[: self.random.randint(1, 2)])

    def nothing(self, *_: object) -> None:
        pass


_MOVES = (
    *(3 * (Walk.scale,)),
    *(2 * (Walk.operator_stops, Walk.operator_starts, Walk.operator_restarts, Walk.process_crashes, Walk.host_answers)),
    *(Walk.connection_breaks, Walk.host_reboots, Walk.host_shuts_down, Walk.host_is_surveyed, Walk.time_passes, Walk.types_are_reloaded),
    *(Walk.permission_comes_or_goes, Walk.dependency_comes_or_goes),
    *(5 * (Walk.nothing,)),
)


def _find_faults(world: World) -> list[str]:
    """Say what is not as it should be at rest."""
    return [fault for name in list(world.roster.types) for fault in _find_faults_of(world, name)]


def _find_faults_of(world: World, name: str) -> list[str]:
    state, counts = world.state(name), world.see(name).counts
    active = sum(_is_of(name, unit) for systemd in world.systemds for unit in systemd.list_in("active"))
    instances = list(state.instances.values())
    claims = {
        f"{counts.running} are said to run and {active} do": counts.running == active,
        f"{state.wanted} are desired and {len(state.list_wanted())} are wanted": state.wanted == len(state.list_wanted()),
        f"{state.wanted} are desired and not all of them run or have failed": state.wanted == counts.running + counts.failed,
        f"{state.desired} are desired and {counts.desired} are said to be": state.desired == counts.desired,
        f"not at rest: {counts}": not (counts.starting or counts.draining or counts.unknown),
        "something is still asked for": not any(one.asked or one.is_calling for one in instances),
        "a number is neither wanted nor left alone": all(one.is_wanted or one.is_left_alone for one in instances),
        "two of a singleton run": not state.process_type.is_singleton or active <= 1,
        f"{world.loop.count_timers()} timers": world.loop.count_timers() < _MOST_TIMERS,
    }
    return [f"{name}: {claim}" for claim, is_true in claims.items() if not is_true]


def _is_of(name: str, unit: str) -> bool:
    return unit.startswith(f"app-{name}@")


@pytest.mark.parametrize("is_singleton", [False, True], ids=["many", "singleton"])
@pytest.mark.parametrize("hosts", [("",), ("app1", "app2")], ids=["one-host", "two-hosts"])
@pytest.mark.parametrize("first", range(0, _WALKS, _SEEDS_OF_A_TEST))
def test_what_is_desired_runs_whatever_has_happened(first, hosts, is_singleton):
    for seed in range(first, min(_WALKS, first + _SEEDS_OF_A_TEST)):
        walk = Walk(seed, hosts, is_singleton=is_singleton)
        for _ in range(_STEPS):
            walk.step()
        walk.come_to_rest()
        assert (seed, _find_faults(walk.world), walk.done) == (seed, [], walk.done)


def test_walks_meet_everything_that_matters():
    walks = [Walk(seed, ("app1", "app2"), is_singleton=False) for seed in range(30)]
    for walk in walks:
        for _ in range(_STEPS):
            walk.step()

    told = "".join(walk.world.told() for walk in walks)

    for sentence in (
        "stopped by somebody else",
        "started by somebody else",
        "does not answer",
        "answers again",
        "replaced elsewhere",
        "is not stopped",
    ):
        assert sentence in told
