"""What is known of a type from look to look: starts that take too long, startup times, crash loops."""

import pytest

from autoscaler.act.remote.engine import Sighting, Verdict
from autoscaler.act.remote.type_state import TypeState
from autoscaler.model import Counts, Process
from tests.local_formation import process_type


def seen(desired: int, **counts: int) -> Sighting:
    return Sighting(counts=Counts(desired=desired, **counts))


def named(*states: tuple[str, str], startups: dict[str, float] | None = None) -> Sighting:
    counts = {state: sum(each == state for _, each in states) for _, state in states}
    return Sighting(
        counts=Counts(desired=len(states), **counts), processes=tuple(Process(name, state) for name, state in states), startups=startups or {}
    )


def test_a_start_that_takes_too_long_counts_as_failed():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(named(("a", "running"), ("b", "starting")), 0.0)
    state.saw(named(("a", "running"), ("b", "starting"), ("c", "starting")), 50.0)
    described = state.describe(61.0)
    assert described.counts == Counts(desired=3, running=1, starting=1, failed=1)
    assert [each.state for each in described.processes] == ["running", "failed", "starting"]
    assert described.notes == ("1 process starts for longer than start-up may take, and counts as failed",)


def test_starts_without_names_are_timed_first_come_first_ready():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(seen(2, running=2), 0.0)
    state.saw(seen(4, running=2, starting=2), 10.0)
    state.saw(seen(5, running=3, starting=2), 40.0)
    described = state.describe(105.0)
    assert described.counts == Counts(desired=5, running=3, starting=1, failed=1)
    assert described.startup_seconds == 30.0
    assert described.starts == 3


def test_the_last_starts_without_names_are_measured_as_well():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(seen(2, running=2), 0.0)
    state.saw(seen(4, running=2, starting=2), 10.0)
    state.saw(seen(4, running=4), 40.0)
    assert state.describe(40.0).startup_seconds == 30.0


def test_what_started_before_the_first_look_measures_no_startup():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(seen(2, starting=2), 0.0)
    state.saw(seen(2, running=2), 5.0)
    assert state.describe(5.0).startup_seconds is None


def test_each_startup_that_the_engine_tells_counts_once():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(named(("a", "running"), startups={"a": 10.0}), 0.0)
    state.saw(named(("a", "running"), ("b", "running"), startups={"a": 10.0, "b": 4.0}), 5.0)
    assert state.describe(5.0).startup_seconds == 7.0


def test_a_start_limit_follows_the_measured_startup():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(named(("a", "running"), ("b", "starting"), startups={"a": 100.0}), 0.0)
    assert state.describe(290.0).counts.starting == 1
    assert state.describe(301.0).counts.failed == 1


def test_starts_are_counted_from_the_first_look_on():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(named(("a", "running")), 0.0)
    state.saw(named(("a", "running"), ("b", "starting")), 1.0)
    state.missed("it was changed, and not seen since")
    state.saw(named(("b", "running"), ("c", "starting")), 2.0)
    assert state.describe(2.0).starts == 2


def test_most_processes_failing_again_and_again_is_a_crash_loop():
    state = TypeState(process_type("web", startup_seconds=None))
    state.saw(Sighting(counts=Counts(desired=3, running=1, failed=2), crashing=2), 0.0)
    described = state.describe(0.0)
    assert described.is_crash_looping
    assert described.notes == ("web is crash looping: 2 processes keep failing soon after the start",)
    state.saw(Sighting(counts=Counts(desired=3, running=2, failed=1), crashing=1), 1.0)
    assert not state.describe(1.0).is_crash_looping


def test_a_type_that_was_not_seen_is_not_described():
    state = TypeState(process_type("web", startup_seconds=None))
    assert state.describe(0.0) is None
    state.saw(seen(1, running=1), 0.0)
    state.missed("connection refused")
    assert state.describe(1.0) is None


def _looks(state: TypeState, *looks: tuple[float, str]) -> bool:
    """Take in the state of the one process at each time; return whether it is a crash loop then."""
    for now, seen_as in looks:
        state.saw(named(("web.1", seen_as)), now)
    return state.describe(looks[-1][0]).is_crash_looping


def test_a_process_that_is_seen_failed_again_and_again_is_a_crash_loop():
    state = TypeState(process_type("web", startup_seconds=None))
    assert not _looks(state, (0.0, "running"), (5.0, "failed"), (10.0, "running"))
    assert _looks(state, (15.0, "failed"))
    assert _looks(state, (20.0, "running"), (40.0, "starting"), (50.0, "running"))
    assert "web is crash looping: 1 process keeps failing soon after the start" in state.describe(50.0).notes


def test_a_minute_of_running_ends_a_crash_loop():
    state = TypeState(process_type("web", startup_seconds=None))
    assert _looks(state, (0.0, "failed"), (15.0, "failed"))
    assert not _looks(state, (20.0, "running"), (80.0, "running"))
    assert not _looks(state, (85.0, "failed"))


def test_one_process_that_fails_among_running_ones_is_no_crash_loop():
    state = TypeState(process_type("web", startup_seconds=None))
    for now in (0.0, 15.0):
        state.saw(named(("web.1", "failed"), ("web.2", "running")), now)
    assert not state.describe(15.0).is_crash_looping


def test_what_a_process_was_is_forgotten_when_it_is_gone():
    state = TypeState(process_type("web", startup_seconds=None))
    assert _looks(state, (0.0, "failed"), (15.0, "failed"))
    state.saw(seen(0), 20.0)
    assert not _looks(state, (25.0, "failed"))


def test_what_somebody_else_set_is_told_once():
    state = TypeState(process_type("web"))
    assert [state.saw(seen(count), now) for now, count in enumerate((2, 2, 5, 5))] == [None, None, "web: somebody else set it from 2 to 5", None]


@pytest.mark.parametrize(("kind", "first"), [("done", None), ("unclear", "web: the change to 4 was not done: 2 are desired")])
def test_a_change_of_our_own_may_show_late(kind, first):
    state = TypeState(process_type("web"))
    state.saw(seen(2), 0.0)
    state.sent(4, 1.0)
    state.answered(Verdict(kind))
    assert [state.saw(seen(count), now) for now, count in enumerate((2, 2, 4), 2)] == [first, None, None]
    assert state.saw(seen(2), 5.0) == "web: somebody else set it from 4 to 2"
