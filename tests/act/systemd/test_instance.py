"""The state of a process is read from its unit, from what was asked for, and from whether its host answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.act.event_loop import Timer
from autoscaler.act.starts import SETTLED_SECONDS
from autoscaler.act.systemd.host import Host
from autoscaler.act.systemd.instance import RESTARTING, Instance, is_broken, is_on, is_over
from autoscaler.act.systemd.values import Unit

_NAME = "app-web@1.service"
_ACTIVE = ("active", "reloading", "inactive", "failed", "activating", "deactivating")
_SUB = ("dead", "running", "start", "start-pre", RESTARTING, "stop-sigterm", "failed")
_JOBS = ("", "start", "stop", "restart", "reload", "reload-or-start", "verify-active", "nop")
_UNITS = st.builds(Unit, st.just(_NAME), active_state=st.sampled_from(_ACTIVE), sub_state=st.sampled_from(_SUB), job=st.sampled_from(_JOBS))
_HOSTS = st.builds(Host, name=st.sampled_from(["", "app1"]), is_up=st.booleans(), is_going_down=st.booleans())
_FLAGS = {name: st.booleans() for name in ("is_wanted", "is_left_alone", "was_moved", "is_ready", "is_late")}
_INSTANCES = st.builds(Instance, host=_HOSTS, number=st.just(1), unit=_UNITS, asked=st.sampled_from(["", "start", "stop"]), **_FLAGS)


def _unit(active_state="inactive", sub_state="dead", job=""):
    return Unit(_NAME, active_state=active_state, sub_state=sub_state, job=job)


def _instance(unit, **fields):
    return Instance(host=Host(name="", is_up=True), number=1, unit=unit, **fields)


@given(unit=_UNITS)
def test_nothing_is_on_and_over_at_once(unit):
    assert not (is_on(unit) and is_over(unit))


@given(instance=_INSTANCES)
def test_a_wanted_process_always_has_a_state(instance):
    assert instance.is_wanted <= (instance.state is not None)


@given(instance=_INSTANCES)
def test_a_process_that_is_not_wanted_drains_or_is_none(instance):
    assert instance.is_wanted or instance.state in (None, "draining")


@given(instance=_INSTANCES)
def test_only_a_wanted_process_on_a_host_that_takes_no_more_is_unknown(instance):
    assert (instance.state == "unknown") == (instance.is_wanted and not instance.host.takes_more)


@given(instance=_INSTANCES)
def test_only_an_active_unit_that_is_ready_runs(instance):
    is_ready = instance.is_ready and instance.unit.active_state in ("active", "reloading") and instance.unit.sub_state != RESTARTING

    assert (instance.state == "running") == (instance.is_wanted and instance.host.takes_more and is_ready)


@given(instance=_INSTANCES)
def test_nothing_that_is_late_is_starting(instance):
    assert not (instance.is_late and instance.state == "starting")


@pytest.mark.parametrize(
    ("unit", "fields", "state"),
    [
        (_unit("active", "running"), {"is_ready": True}, "running"),
        (_unit("reloading", "reload"), {"is_ready": True}, "running"),
        (_unit("active", "running"), {}, "starting"),
        (_unit("active", "running"), {"is_late": True}, "failed"),
        (_unit("activating", "start"), {}, "starting"),
        (_unit("activating", "start"), {"is_late": True}, "failed"),
        (_unit("activating", RESTARTING), {}, "failed"),
        (_unit(job="start"), {}, "starting"),
        (_unit(), {"asked": "start"}, "starting"),
        (_unit(), {"asked": "start", "is_late": True}, "failed"),
        (_unit(), {}, "failed"),
        (_unit("failed", "failed"), {}, "failed"),
        (_unit("failed", "failed", job="restart"), {}, "failed"),
        (_unit("deactivating", "stop-sigterm", job="restart"), {}, "draining"),
    ],
)
def test_the_state_of_a_wanted_process(unit, fields, state):
    assert _instance(unit, is_wanted=True, **fields).state == state


@pytest.mark.parametrize(
    ("unit", "fields", "state"),
    [
        (_unit("active", "running"), {"asked": "stop"}, "draining"),
        (_unit("deactivating", "stop-sigterm"), {}, "draining"),
        (_unit(), {"asked": "stop"}, "draining"),
        (_unit(), {}, None),
        (_unit("failed", "failed"), {}, None),
        (_unit("active", "running"), {"was_moved": True}, None),
        (_unit(), {"is_left_alone": True}, None),
        (_unit("deactivating", "stop-sigterm"), {"is_left_alone": True}, "draining"),
    ],
)
def test_the_state_of_a_process_that_is_not_wanted(unit, fields, state):
    assert _instance(unit, **fields).state == state


@pytest.mark.parametrize("unit", [_unit("failed", "failed"), _unit("activating", RESTARTING)])
def test_a_unit_that_systemd_gave_up_or_will_start_again_is_broken(unit):
    assert is_broken(unit)


@given(unit=_UNITS)
def test_a_unit_with_a_job_that_starts_it_is_on(unit):
    assert is_on(unit) or unit.job not in ("start", "restart", "reload-or-start")


def test_a_process_has_lived_when_it_was_active_for_a_minute():
    instance = _instance(_unit("active", "running"))
    assert not instance.has_lived(1e9)
    instance.active_at = 100.0

    assert [instance.has_lived(100.0 + seconds) for seconds in (0.0, SETTLED_SECONDS - 1, SETTLED_SECONDS)] == [False, False, True]


def test_what_was_to_happen_is_forgotten_at_once():
    instance = _instance(_unit())
    timers = [Timer(1.0, serial, lambda: None) for serial in range(3)]
    instance.timers, instance.retry = timers[:2], timers[2]

    instance.cancel_timers()

    assert [timer.action for timer in timers] == [None] * 3
    assert (instance.timers, instance.retry) == ([], None)
