import pytest

from autoscaler.demo.waits import Waits, waits_of


def test_nothing_measured_has_no_percentiles():
    assert waits_of([]) == Waits(None, None)
    assert str(waits_of([])) == "not measured"


@pytest.mark.parametrize(
    ("seconds", "p50", "p95"),
    [([3.0], 3.0, 3.0), ([4.0, 1.0], 1.0, 4.0), ([float(value) for value in range(1, 101)], 50.0, 95.0), ([0.0] * 19 + [9.0], 0.0, 0.0)],
)
def test_percentiles_are_waits_that_somebody_had(seconds, p50, p95):
    assert waits_of(seconds) == Waits(p50, p95)


def test_waits_are_written_with_their_unit():
    assert str(Waits(0.123, 4.0)) == "p50 0.12 s, p95 4.00 s"
