"""What takes minutes or days with real units is tried on a virtual clock: pauses, deadlines, holds, and what is forgotten."""

from itertools import pairwise

import pytest

from autoscaler.act.systemd.values import Answer
from autoscaler.model import Counts
from tests.act.systemd.virtual import DENIED, LOST, World, unit_of, web

_HOUR = 3600.0
_DAY = 24 * _HOUR
_GIB = 2**30
_WEB_1, _WEB_2, _WEB_3 = (unit_of(number) for number in (1, 2, 3))


def _crash(world, *units):
    for unit in units:
        world.systemd.crash(unit)
    world.rest()


def _begin_again(world, *units):
    """Have somebody start units that have failed."""
    for unit in units:
        world.systemd.queue(unit, "start")
    world.rest()


def _stop(world, *units):
    """Have somebody stop units."""
    for unit in units:
        world.systemd.queue(unit, "stop")
    world.rest()


def _calls(world, what="start", unit=None):
    return [call.at for systemd in world.systemds for call in systemd.log if call.what == what and unit in (None, call.unit)]


def _gaps(world):
    return [later - earlier for earlier, later in pairwise(_calls(world))]


def _broken_web():
    world = World.heard()
    world.systemd.broken = {_WEB_1, _WEB_2, _WEB_3}
    return world


def _pair(*process_types):
    """Two hosts with one process each."""
    world = World.heard(*process_types, hosts=("app1", "app2"), host_lost_seconds=300.0)
    world.scale(2)
    world.told()
    return world, *world.systemds


# Starts, and what failed


@pytest.mark.parametrize(("seconds", "sentence"), [(59.0, "web.1 failed 4 times in a row: exit-code"), (61.0, "web.1 failed: exit-code")])
def test_a_process_that_ran_for_a_minute_has_no_failures_behind_it(seconds, sentence):
    world = World.heard()
    world.scale(1)
    for _ in range(2):
        _crash(world, _WEB_1)
        _begin_again(world, _WEB_1)
    world.wait(seconds)
    _crash(world, _WEB_1)
    _begin_again(world, _WEB_1)
    world.told()

    _crash(world, _WEB_1)

    assert world.told() == sentence


def test_a_process_that_ran_for_a_minute_ends_a_crash_loop():
    world = World.heard()
    world.scale(1)
    for _ in range(4):
        _crash(world, _WEB_1)
        _begin_again(world, _WEB_1)
    _crash(world, _WEB_1)
    assert world.see().is_crash_looping
    _begin_again(world, _WEB_1)

    world.wait(61.0)
    _crash(world, _WEB_1)

    assert not world.see().is_crash_looping


@pytest.mark.parametrize("is_slow_to_end", [False, True])
def test_the_crash_of_what_ran_for_hours_is_no_failed_start(is_slow_to_end):
    world = World.heard()
    world.scale(3)
    world.wait(2 * _HOUR)

    for unit in (_WEB_1, _WEB_2, _WEB_3):
        if is_slow_to_end:
            world.systemd.become(unit, "deactivating")
            world.wait(5.0)
        _crash(world, unit)

    assert (world.see().counts, world.see().is_crash_looping, world.told()) == (Counts(desired=3, failed=3), False, "")


def test_what_ends_with_nobody_stopping_it_has_failed_at_once():
    world = World.heard()
    world.scale(1)
    world.wait(_HOUR)

    world.systemd.become(_WEB_1, "deactivating")
    world.rest()

    assert world.see().counts == Counts(desired=1, failed=1)


@pytest.mark.parametrize(("startup", "timeout"), [(None, 60.0), (30.0, 90.0)])
def test_a_start_that_takes_too_long_has_failed(startup, timeout):
    world = World.heard(web(startup_seconds=startup))
    world.systemd.stuck = {"activating"}
    world.scale(1)

    world.wait(timeout - 1.0)
    before = world.see().counts
    world.wait(2.0)

    assert (before, world.see().counts) == (Counts(desired=1, starting=1), Counts(desired=1, failed=1))
    assert world.told() == "web.1 failed: it is not ready in time"


def test_a_start_that_is_late_runs_once_it_is_ready():
    world = World.heard()
    world.systemd.stuck = {"activating"}
    world.scale(1)
    world.wait(70.0)

    world.systemd.stuck = set()
    world.rest()

    assert world.see().counts == Counts(desired=1, running=1)


def test_a_start_that_is_tried_again_is_not_late_yet():
    world = World.heard()
    world.systemd.stuck = {"activating"}
    world.scale(1)
    world.wait(70.0)
    world.systemd.become(_WEB_1, "inactive")
    world.systemd.end_job(_WEB_1, "timeout")

    world.wait(2.0)

    assert (world.see().counts, len(_calls(world))) == (Counts(desired=1, starting=1), 2)


def test_a_start_has_as_long_as_earlier_ones_took():
    world = World.heard()
    world.systemd.stuck = {"activating"}
    world.scale(1)
    world.wait(40.0)
    world.systemd.stuck = set()
    world.rest()
    world.systemd.stuck = {"activating"}
    world.scale(2)

    world.wait(119.0)
    before = world.see().counts
    world.wait(2.0)

    assert (before.starting, world.see().counts.failed) == (1, 1)


def test_a_process_is_ready_once_its_startup_has_passed():
    world = World.heard(web(startup_seconds=10.0))
    world.scale(1)

    world.wait(9.0)
    before = world.see().counts
    world.wait(1.5)

    assert (before, world.see().counts) == (Counts(desired=1, starting=1), Counts(desired=1, running=1))


def test_a_process_that_somebody_restarts_is_ready_once_its_startup_has_passed_again():
    world = World.heard(web(startup_seconds=10.0))
    world.scale(1)
    world.wait(9.0)
    world.systemd.queue(_WEB_1, "restart")

    world.wait(9.0)
    before = world.see().counts
    world.wait(1.5)

    assert (before, world.see().counts) == (Counts(desired=1, starting=1), Counts(desired=1, running=1))


def test_a_process_that_somebody_restarts_is_not_stopped_by_somebody():
    world = World.heard()
    world.scale(1)
    world.told()
    world.systemd.stuck = {"deactivating"}
    world.systemd.queue(_WEB_1, "restart")
    world.rest()
    restarting = world.see().counts

    world.systemd.stuck = set()
    world.rest()

    assert (restarting, world.see().counts) == (Counts(desired=1, draining=1), Counts(desired=1, running=1))
    assert world.told() == ""


def test_a_stop_that_is_refused_leaves_a_process_that_runs():
    world = World.heard(web(startup_seconds=10.0))
    world.scale(1)
    world.wait(3.0)
    world.systemd.refusals = {"stop": DENIED}

    world.scale(0)

    assert world.see().counts == Counts(desired=1, running=1)


def test_starts_that_fail_are_tried_again_after_pauses_that_double_to_half_a_minute():
    world = _broken_web()
    world.scale(1)

    world.wait(300.0)

    expected = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert len(_gaps(world)) >= len(expected)
    assert [gap for gap, pause in zip(_gaps(world), expected, strict=False) if not 0.79 * pause <= gap <= 1.21 * pause] == []


def test_a_start_that_is_forbidden_is_tried_again_and_forgotten_when_it_is_allowed():
    world = World.heard()
    world.systemd.refusals = {"start": DENIED}
    world.scale(1)
    assert "install the polkit rule" in world.see().notes[0]

    world.systemd.refusals = {}
    world.wait(2.0)

    assert (world.see().counts, world.see().notes) == (Counts(desired=1, running=1), ())


@pytest.mark.parametrize(("seconds", "least", "most"), [(100.0, 6.0, 10.0), (301.0, 0.4, 0.6)])
def test_a_number_that_is_taken_anew_waits_as_long_as_before_unless_that_is_long_ago(seconds, least, most):
    world = _broken_web()
    world.scale(1)
    world.wait(6.0)
    world.scale(0)
    world.wait(seconds)
    world.scale(1)
    done = len(_calls(world))

    world.wait(30.0)

    assert least <= _gaps(world)[done - 1] <= most


def test_what_failed_is_forgotten_five_minutes_after_it_was_given_up():
    world = _broken_web()
    world.scale(3)
    world.wait(10.0)
    world.scale(0)

    world.wait(290.0)
    before = world.see()
    world.wait(11.0)

    assert (before.is_crash_looping, world.see().is_crash_looping, world.see().notes) == (True, False, ())


def test_startup_is_measured_from_our_start():
    world = World.heard()
    world.systemd.stuck = {"activating"}
    world.scale(1)
    world.wait(7.0)

    world.systemd.stuck = set()
    world.rest()

    assert world.see().startup_seconds == 7.0


def test_startup_is_not_measured_over_a_start_that_failed():
    world = World.heard()
    world.systemd.stuck = {"activating"}
    world.scale(1)
    world.systemd.become(_WEB_1, "activating", sub_state="auto-restart", result="exit-code")
    world.systemd.end_job(_WEB_1, "failed")

    world.wait(_HOUR)
    world.systemd.become(_WEB_1, "active", restarts=1)
    world.rest()

    assert (world.see().counts.running, world.see().startup_seconds) == (1, None)


def test_a_day_of_starts_that_fail_leaves_no_timers_behind():
    world = _broken_web()
    world.scale(3)

    world.wait(_DAY / 4)

    assert len(_calls(world, unit=_WEB_1)) > 600
    assert (len(world.instance().timers), world.loop.count_timers()) == (1, 6)


def test_a_day_of_crashes_leaves_no_timers_behind():
    world = World.heard(web(startup_seconds=4.0))
    world.scale(1)

    for restarts in range(1, 2000):
        world.systemd.become(_WEB_1, "activating", sub_state="auto-restart", result="exit-code")
        world.wait(20.0)
        world.systemd.become(_WEB_1, "active", restarts=restarts)
        world.wait(20.0)

    assert world.see().starts == 2000
    assert len(world.instance().timers) <= 2
    assert world.loop.count_timers() <= 2


def test_a_day_of_starts_and_restarts_by_somebody_else_leaves_no_timers_behind():
    world = World.heard()
    world.scale(1)

    for number in range(500):
        if number % 10 == 0:
            _crash(world, _WEB_1)
            _begin_again(world, _WEB_1)
        world.systemd.queue(_WEB_1, "restart")
        world.wait(50.0)

    assert len(world.instance().timers) <= 2
    assert world.loop.count_timers() <= 2


# Somebody else


def _undo(world, changes=2):
    """Make changes, and have somebody undo each."""
    for _ in range(changes):
        world.scale(world.see().counts.desired + 1)
        world.wait(1.0)
        _stop(world, world.systemd.list_in("active")[-1])


def _hold(world):
    return [note for note in world.see().notes if "somebody else changes its units too" in note]


def test_two_changes_that_are_undone_hold_a_type_for_five_minutes():
    world = World.heard()

    _undo(world)
    held = _hold(world)
    world.wait(299.0)
    still = _hold(world)
    world.wait(2.0)

    assert (held, _hold(world)) == (still, [])
    assert held[0].startswith(
        "web: somebody else changes its units too (app-web@2.service was stopped against a change made here); not scaled for 5 min, end the other"
    )
    assert held[0] in world.told()


def test_one_change_that_is_undone_holds_nothing():
    world = World.heard()

    _undo(world, changes=1)

    assert _hold(world) == []


def test_what_is_undone_after_more_than_five_minutes_is_just_changed():
    world = World.heard()

    for processes in (1, 2):
        world.scale(processes)
    world.wait(301.0)
    _stop(world, _WEB_1)
    _stop(world, _WEB_2)

    assert _hold(world) == []


def test_what_somebody_changes_back_and_forth_is_undone_once():
    world = World.heard()
    world.scale(1)
    _stop(world, _WEB_1)
    world.wait(250.0)
    _begin_again(world, _WEB_1)
    world.wait(100.0)

    world.scale(2)
    _stop(world, _WEB_2)

    assert _hold(world) == []


def test_what_is_started_against_a_change_is_undone_too():
    world = World.heard()
    world.scale(2)
    world.wait(_HOUR)

    for _ in range(2):
        world.systemd.stuck = {"deactivating"}
        world.scale(1)
        world.systemd.queue(_WEB_2, "start")
        world.systemd.stuck = set()
        world.rest()

    assert "was started against a change made here" in _hold(world)[0]


@pytest.mark.parametrize(("peace", "minutes"), [(_HOUR, 10), (_DAY + 1.0, 5)])
def test_the_next_hold_is_twice_as_long_unless_there_was_peace_for_a_day(peace, minutes):
    world = World.heard()
    _undo(world)
    world.wait(peace)
    released = _hold(world)

    _undo(world)

    assert (released, f"not scaled for {minutes} min" in _hold(world)[0]) == ([], True)
    world.wait(60.0 * minutes - 1.0)
    assert _hold(world)
    world.wait(2.0)
    assert not _hold(world)


def test_what_else_is_undone_during_a_hold_does_not_make_another():
    world = World.heard()
    world.scale(2)
    world.scale(4)

    for number in (1, 3, 2, 4):
        world.wait(1.0)
        _stop(world, unit_of(number))
    held = _hold(world)
    world.wait(299.0)

    assert (len(held), "not scaled for 5 min" in held[0], _hold(world)) == (1, True, [])
    _undo(world)
    assert "not scaled for 10 min" in _hold(world)[0]


def test_a_refused_stop_is_noted_for_a_minute():
    world = World.heard()
    world.scale(1)
    world.systemd.refusals = {"stop": DENIED}

    world.scale(0)
    world.wait(59.0)
    before = world.see().notes
    world.wait(2.0)

    assert ("install the polkit rule" in before[0], world.see().notes) == (True, ())


def test_a_refused_stop_that_is_met_again_is_noted_for_a_minute_from_then_on():
    world = World.heard()
    world.scale(1)
    world.systemd.refusals = {"stop": DENIED}
    world.scale(0)
    world.wait(40.0)
    world.scale(0)

    world.wait(40.0)
    before = world.see().notes
    world.wait(21.0)

    assert (len(before), world.see().notes) == (1, ())


def test_a_stop_that_is_refused_every_five_seconds_is_told_once_until_it_was_not_for_a_minute():
    world = World.heard()
    world.scale(1)
    world.systemd.refusals = {"stop": DENIED}

    for _ in range(30):
        world.scale(0)
        world.wait(5.0)
    first = world.told()
    world.wait(61.0)
    world.scale(0)

    assert (first.count("web.1 is not stopped"), world.told().count("web.1 is not stopped")) == (1, 1)
    assert world.loop.count_timers() <= 13


# Hosts


def test_what_a_host_that_shuts_down_stops_is_stopped_by_nobody():
    world = World.heard()
    world.scale(2)
    world.systemd.shut_down()

    _stop(world, _WEB_1, _WEB_2)

    assert world.see().counts == Counts(desired=2, unknown=2)
    assert world.told() == "this machine is shutting down"


@pytest.mark.parametrize(("seconds", "counts"), [(299.0, Counts(desired=1, unknown=1)), (301.0, Counts(desired=1, running=1))])
def test_a_host_that_still_answers_after_five_minutes_does_not_shut_down(seconds, counts):
    world = World.heard()
    world.scale(1)
    world.systemd.shut_down()

    world.wait(seconds)
    world.systemd.survey()
    world.rest()

    assert world.see().counts == counts


@pytest.mark.parametrize("is_rebooted", [False, True])
def test_a_host_that_comes_back_takes_more_at_once(is_rebooted):
    world = World.heard()
    world.scale(1)
    world.systemd.shut_down()
    (world.systemd.reboot if is_rebooted else world.systemd.lose)()

    world.systemd.answer()
    world.rest()

    assert world.see().counts == Counts(desired=1, running=1)


def test_a_reboot_brings_back_as_many_as_desired():
    world = World.heard()
    world.scale(3)
    world.told()
    world.systemd.reboot(_WEB_2)
    world.rest()

    world.systemd.answer()
    world.rest()

    assert (world.see().counts, world.systemd.list_in("active")) == (Counts(desired=3, running=3), [_WEB_1, _WEB_2, _WEB_3])
    assert "somebody else" not in world.told()


def test_what_somebody_started_while_the_bus_was_away_counts():
    world = World.heard()
    world.scale(1)
    world.systemd.lose()
    world.systemd.become(_WEB_2, "active")
    world.systemd.become(_WEB_1, "inactive")

    world.systemd.answer()
    world.rest()

    assert world.see().counts == Counts(desired=1, running=1)
    assert "web.1 was stopped by somebody else" in world.told()


def test_processes_of_a_lost_host_are_replaced_when_it_was_lost_for_long_enough():
    world, app1, app2 = _pair()
    app1.lose()

    world.wait(299.0)
    before = world.see().counts
    world.wait(2.0)

    assert before == Counts(desired=2, running=1, unknown=1)
    assert (world.see().counts, len(app2.list_in("active"))) == (Counts(desired=2, running=2), 2)
    assert "app1 has not answered for 300 s; its 1 processes are replaced elsewhere" in world.told()


def test_a_host_that_answered_in_between_is_lost_anew():
    world, app1, _ = _pair()
    app1.lose()
    world.wait(200.0)
    app1.answer()
    world.wait(10.0)
    app1.lose()

    world.wait(299.0)
    before = world.see().counts
    world.wait(2.0)

    assert (before.unknown, world.see().counts.unknown) == (1, 0)


def test_nothing_is_replaced_while_no_host_answers():
    world, app1, app2 = _pair()
    app1.lose()
    app2.lose()

    world.wait(_DAY)

    assert world.see().counts == Counts(desired=2, unknown=2)


def test_after_nobody_answered_a_host_is_lost_from_when_another_answers():
    world, app1, app2 = _pair()
    app1.lose()
    app2.lose()
    world.wait(_HOUR)
    app2.answer()

    world.wait(299.0)
    before = world.see().counts
    world.wait(2.0)

    assert (before, world.see().counts) == (Counts(desired=2, running=1, unknown=1), Counts(desired=2, running=2))


def test_after_a_fault_here_the_time_away_begins_when_another_host_answers():
    world, app1, app2 = _pair()
    app1.lose()
    app2.lose()
    world.wait(290.0)
    app2.answer()
    world.wait(20.0)
    app1.answer()
    world.rest()

    assert (world.see().counts, "replaced" in world.told()) == (Counts(desired=2, running=2), False)


def test_a_host_that_was_given_up_twice_for_one_loss_counts_again_when_it_returns():
    world, app1, app2 = _pair()
    app1.lose()
    app2.lose()
    world.wait(20.0)
    app2.answer()
    world.wait(400.0)

    app1.answer()
    world.rest()

    told = world.told()
    assert (world.see().counts, told.count("replaced elsewhere")) == (Counts(desired=3, running=3), 1)
    assert "somebody else" not in told


def test_what_still_runs_on_a_host_that_returns_takes_a_place_that_is_free():
    world, app1, app2 = _pair(web(memory_bytes=_GIB))
    world.hosts[1].memory_bytes = _GIB
    app1.lose()
    world.wait(301.0)
    waiting = world.see().counts

    app1.answer()
    world.rest()

    assert (waiting, world.see().counts) == (Counts(desired=2, running=1, starting=1), Counts(desired=2, running=2))
    assert app2.list_in("active") == [_WEB_1]


def test_the_end_of_a_job_that_found_nothing_to_do_is_nobodys_stop():
    world = World.heard()
    world.scale(1)
    _crash(world, _WEB_1)
    world.wait(10.0)

    world.systemd.end_strange_job(_WEB_1)
    world.rest()

    assert world.see().counts == Counts(desired=1, failed=1)


def test_a_unit_that_is_masked_gives_its_place_to_another_as_soon_as_it_ends():
    world = World.heard()
    world.scale(1)
    world.systemd.files[_WEB_1] = "masked"
    world.systemd.survey()

    _crash(world, _WEB_1)

    assert (world.see().counts, world.systemd.list_in("active")) == (Counts(desired=1, running=1), [_WEB_2])


@pytest.mark.parametrize("is_survey", [False, True])
def test_a_unit_that_does_nothing_takes_no_number(is_survey):
    world = World.heard()
    if is_survey:
        world.systemd.become(_WEB_1, "inactive")
        world.systemd.survey()
    else:
        world.systemd.end_strange_job(_WEB_1)
    world.rest()

    world.scale(1)

    assert world.systemd.list_in("active") == [_WEB_1]


def test_a_type_that_is_gone_is_not_started_again():
    world = _broken_web()
    world.scale(1)
    world.reload(web("job"))
    done = len(_calls(world))

    world.wait(_HOUR)

    assert len(_calls(world)) == done


def test_a_type_that_comes_back_is_shown_whatever_was_to_happen_to_what_it_was():
    world = World.heard()
    world.scale(2)
    world.scale(1)
    world.reload(web("job"))
    world.wait(5.0)
    world.reload(web(), web("job"))

    world.wait(_HOUR)

    assert (world.see().counts, world.told().count("is not in the configuration any more")) == (Counts(desired=1, running=1), 1)


def test_a_singleton_is_not_replaced_while_it_may_run():
    world = World.heard(web(is_singleton=True), hosts=("app1", "app2"), host_lost_seconds=300.0)
    world.scale(1)
    world.systemds[0].lose()

    world.wait(_DAY)

    assert world.see().counts == Counts(desired=1, unknown=1)
    assert world.systemds[1].log == []


def test_a_singleton_starts_once_every_host_was_heard():
    world = World.heard(web(is_singleton=True), hosts=("app1", "app2"), host_lost_seconds=300.0)
    world.systemds[1].lose()
    world.scale(1)
    world.wait(_HOUR)
    before = world.see()

    world.systemds[1].answer()
    world.rest()

    assert (before.counts, world.see().counts) == (Counts(desired=1, starting=1), Counts(desired=1, running=1))
    assert "web is a singleton: its next process starts when it is known that none runs on app2" in before.notes


def test_a_singleton_does_not_start_while_one_drains():
    world = World.heard(web(is_singleton=True))
    world.scale(1)
    world.systemd.stuck = {"deactivating"}
    world.scale(0)
    world.scale(1)
    before = world.see().counts

    world.systemd.stuck = set()
    world.rest()

    assert (before, world.see().counts) == (Counts(desired=1, starting=1, draining=1), Counts(desired=1, running=1))


def test_nothing_is_started_before_every_host_has_told_what_it_has():
    world = World(hosts=("app1", "app2"))
    world.systemds[0].answer()
    world.scale(2)
    before = _calls(world)

    world.systemds[1].answer()
    world.rest()

    assert (before, world.see().counts) == ([], Counts(desired=2, running=2))


def test_what_is_not_wanted_on_a_lost_host_is_stopped_when_it_returns():
    world, app1, _ = _pair()
    app1.lose()
    world.rest()
    world.scale(1)

    app1.answer()
    world.rest()

    assert (world.see().counts, app1.list_in("active")) == (Counts(desired=1, running=1), [])


# Requests under way


def test_an_answer_to_an_earlier_request_is_nothing_to_the_later_one():
    world = World.heard()
    world.systemd.is_slow = True
    world.scale(1)
    world.scale(0)

    world.systemd.calls[0].then(DENIED)
    world.rest()

    assert world.see().counts == Counts(desired=0, draining=1)
    assert "is not stopped" not in world.told()


def test_a_start_whose_conditions_do_not_hold_has_failed_and_is_tried_again():
    world = World.heard()
    world.systemd.stuck = {"inactive"}
    world.scale(1)
    world.systemd.end_job(_WEB_1, "done")
    world.systemd.stuck = set()

    world.wait(2.0)

    assert "web.1 failed: systemd could not start app-web@1.service on this machine: its conditions do not hold" in world.told()
    assert (world.see().counts, len(_calls(world))) == (Counts(desired=1, running=1), 2)


@pytest.mark.parametrize("tells_new_job_first", [False, True])
def test_a_start_that_somebody_calls_off_is_not_tried_again(tells_new_job_first):
    world = World.heard()
    world.systemd.tells_new_job_first = tells_new_job_first
    world.systemd.stuck = {"inactive"}
    world.scale(1)
    world.systemd.queue(_WEB_1, "stop")
    world.systemd.stuck = set()

    world.wait(_HOUR)

    assert (world.see().counts, len(_calls(world))) == (Counts(desired=0), 1)
    told = world.told()
    assert "web.1 was stopped by somebody else" in told
    assert "failed" not in told


def test_what_failed_is_reset_before_it_is_started_again():
    world = World.heard()
    world.systemd.is_slow, world.systemd.refusals = True, {"start": DENIED}
    world.scale(1)
    _crash(world, _WEB_1)
    world.systemd.is_slow = False
    world.rest()

    world.systemd.refusals = {}
    world.wait(2.0)

    assert [call.what for call in world.systemd.log] == ["start", "reset_failed", "start"]
    assert world.see().counts == Counts(desired=1, running=1)


def test_what_failed_and_is_being_started_is_stopped_when_it_is_not_wanted_any_more():
    world = World.heard()
    world.systemd.is_slow = True
    world.scale(1)
    _crash(world, _WEB_1)
    world.scale(0)

    world.systemd.is_slow = False
    world.rest()

    assert (world.see().counts, world.systemd.list_in("active")) == (Counts(desired=0), [])


def test_nothing_is_tried_again_while_its_host_does_not_answer():
    world = _broken_web()
    world.scale(1)
    world.systemd.lose()
    done = len(_calls(world))
    world.wait(_HOUR)
    meanwhile = len(_calls(world)) - done

    world.systemd.broken = set()
    world.systemd.answer()
    world.wait(40.0)

    assert (meanwhile, world.see().counts) == (0, Counts(desired=1, running=1))


@pytest.mark.parametrize(("processes", "what"), [(1, "start"), (0, "stop")])
def test_nothing_is_asked_for_twice_before_its_answer(processes, what):
    world = World.heard()
    world.scale(1 - processes)
    world.systemd.is_slow = True
    world.scale(processes)

    world.systemd.survey()
    world.rest()

    assert len(_calls(world, what)) == 1


@pytest.mark.parametrize(("processes", "what", "state"), [(1, "start", "inactive"), (1, "start", "activating"), (0, "stop", "deactivating")])
def test_nothing_is_asked_for_twice_while_its_job_is_under_way(processes, what, state):
    world = World.heard()
    world.scale(1 - processes)
    world.systemd.stuck = {state}
    world.scale(processes)

    for _ in range(3):
        world.systemd.survey()
        world.wait(10.0)

    assert len(_calls(world, what)) == 1


@pytest.mark.parametrize(("processes", "what"), [(1, "start"), (0, "stop")])
def test_what_got_no_answer_is_asked_for_again_when_the_host_returns(processes, what):
    world = World.heard()
    world.scale(1 - processes)
    world.systemd.is_slow = True
    world.scale(processes)
    world.systemd.lose()
    world.systemd.is_slow = False

    world.systemd.answer()
    world.rest()

    assert (len(_calls(world, what)), world.see().counts) == (2, Counts(desired=processes, running=processes))


def test_what_is_started_is_enabled_once():
    world = World.heard(persists=True)
    world.scale(1)
    _crash(world, _WEB_1)
    _begin_again(world, _WEB_1)

    world.wait(_HOUR)

    assert len(_calls(world, "enable")) == 1


def test_what_never_runs_is_not_enabled():
    world = World.heard(persists=True)
    world.systemd.broken = {_WEB_1}
    world.scale(1)

    world.wait(100.0)

    assert _calls(world, "enable") == []


def test_enabling_that_got_no_answer_is_asked_for_again():
    world = World.heard(persists=True)
    world.systemd.refusals = {"enable": LOST}
    world.scale(1)
    world.systemd.refusals = {}

    world.systemd.lose()
    world.systemd.answer()
    world.rest()

    assert len(_calls(world, "enable")) == 2


def test_enabling_that_is_refused_is_noted():
    world = World.heard(persists=True)
    world.systemd.refusals = {"enable": Answer(error="autoscaler.NoInstall", sentence="it has no [Install]")}

    world.scale(1)

    assert world.see().notes == ("app-web@1.service is not enabled, a reboot will not bring it back: it has no [Install]",)


def test_what_is_stopped_is_disabled():
    world = World.heard(persists=True)
    world.scale(1)

    world.scale(0)

    assert len(_calls(world, "disable")) == 1


# Memory


def test_what_waits_for_memory_starts_when_another_type_gives_it_back():
    world = World.heard(web(memory_bytes=_GIB), web("job", memory_bytes=_GIB))
    world.hosts[0].memory_bytes = 2 * _GIB
    world.scale(2, "job")
    world.scale(1)
    waiting = world.see().counts

    world.scale(0, "job")

    assert (waiting, world.see().counts) == (Counts(desired=1, starting=1), Counts(desired=1, running=1))


def test_what_a_young_process_will_take_is_not_given_twice():
    world = World.heard(web(memory_bytes=_GIB), web("job", memory_bytes=_GIB))
    world.systemd.measure(2 * _GIB)
    world.scale(2)
    world.scale(1, "job")
    before = world.see("job").counts

    world.wait(16.0)
    world.systemd.measure(_GIB)
    world.rest()

    assert (before.running, world.see("job").counts.running) == (0, 1)
