from itertools import pairwise

import pytest

from autoscaler.demo.curve import PHASES, Curve, Rates


def test_phases_cover_the_whole_time_without_a_gap():
    assert PHASES[0].begins == 0.0
    assert PHASES[-1].ends == 1.0
    assert all(before.ends == after.begins for before, after in pairwise(PHASES))


@pytest.mark.parametrize(
    ("elapsed", "name"),
    [(0.0, "quiet start"), (20.0, "rise"), (40.0, "burst"), (60.0, "fall"), (70.0, "quiet end"), (100.0, "quiet end"), (150.0, "quiet end")],
)
def test_each_time_has_its_phase(elapsed, name):
    assert Curve(100).phase_at(elapsed).name == name


def test_the_rise_is_a_straight_line():
    rise = PHASES[1]
    middle = Curve(1).rates_at((rise.begins + rise.ends) / 2)
    assert middle.requests == pytest.approx((rise.first.requests + rise.last.requests) / 2)
    assert middle.jobs == pytest.approx((rise.first.jobs + rise.last.jobs) / 2)


def test_the_burst_is_the_most_that_is_offered():
    curve = Curve(60)
    assert max(curve.rates_at(second).requests for second in range(60)) == curve.rates_at(25).requests


def test_rates_after_the_end_stay_quiet():
    assert Curve(60).rates_at(1000) == Rates(requests=3.0, jobs=0.6)


def test_the_same_seconds_give_the_same_load():
    assert Curve(40).request_times() == Curve(40).request_times()
    assert Curve(40).job_times() == Curve(40).job_times()


@pytest.mark.parametrize("seconds", [20, 40, 60])
def test_as_much_arrives_as_the_area_says(seconds):
    curve = Curve(seconds)
    area = sum((phase.ends - phase.begins) * seconds * (phase.first.requests + phase.last.requests) / 2 for phase in PHASES)
    assert len(curve.request_times()) == pytest.approx(area, abs=2)


def test_arrivals_ascend_and_stay_within_the_time():
    times = Curve(40).job_times()
    assert list(times) == sorted(times)
    assert times[0] >= 0
    assert times[-1] < 40
