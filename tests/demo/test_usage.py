import pytest

from autoscaler.demo.usage import Moment, Usage, UsageListener, usage_of


def test_a_type_never_seen_used_nothing():
    assert usage_of([], ended=10.0) == Usage(0, 0.0, 0.0, 0, 0)


def test_each_moment_lasts_to_the_next():
    moments = [Moment(0.0, 1, "scale_out"), Moment(2.0, 4, "none"), Moment(5.0, 2, "scale_in")]
    used = usage_of(moments, ended=10.0)
    assert used.process_seconds == 1 * 2 + 4 * 3 + 2 * 5
    assert used.fixed_process_seconds == 4 * 10
    assert (used.peak, used.scale_outs, used.scale_ins) == (4, 1, 1)


@pytest.mark.parametrize("ended", [0.0, 2.0])
def test_an_end_before_the_last_moment_takes_nothing_away(ended):
    assert usage_of([Moment(1.0, 3, "none"), Moment(3.0, 3, "none")], ended).process_seconds == 6


def test_the_listener_counts_draining_processes_too(make_tick):
    listener = UsageListener()
    listener.ticked(make_tick(now=7.0, running=2, starting=1, draining=3, action="scale_in"))
    assert listener.moments == {"web": [Moment(7.0, 6, "scale_in")]}


def test_the_listener_keeps_what_went_wrong(make_tick):
    listener = UsageListener()
    listener.ticked(make_tick(errors={"web": "web: no such command"}))
    assert listener.errors == {"web": "web: no such command"}
