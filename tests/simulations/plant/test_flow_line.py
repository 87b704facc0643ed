import pytest

from autoscaler_simulations.plant.flow_line import Line


class Hearing:
    def __init__(self):
        self.waits = []

    def hear(self, wait):
        self.waits.append(wait)


def test_the_first_in_the_line_start_first():
    hearing = Hearing()
    line = Line(hearing)
    line.join(0.0, 10.0, 100.0, is_judged=False)
    line.join(10.0, 20.0, 50.0, is_judged=True)

    line.serve(20.0, 30.0, 125.0)

    first, second = hearing.waits
    assert (first.number, first.first, first.last, first.is_judged) == (100.0, 20.0, 18.0, False)
    assert (second.number, second.first, second.last, second.is_judged) == (25.0, 18.0, 15.0, True)
    assert (line.waiting(), line.oldest(30.0)) == (25.0, 15.0)
    assert line.waited_seconds == pytest.approx(100 * 19.0 + 25 * 16.5)


def test_a_line_of_many_spans_keeps_count_and_age_in_little_memory():
    line = Line(Hearing())
    for second in range(6000):
        line.join(float(second), second + 1.0, 2.0, is_judged=False)

    assert len(line.waits(6000.0)) <= 4096
    assert line.waiting() == 12_000
    assert line.oldest(6000.0) == 6000.0
    assert line.ages(6000.0) == pytest.approx(12_000 * 3000.0)


def test_those_that_come_back_are_the_first():
    hearing = Hearing()
    line = Line(hearing)
    line.join(10.0, 20.0, 10.0, is_judged=True)
    line.rejoin(5.0, 1.0)

    line.serve(20.0, 20.0, 1.0)

    assert [(wait.at, wait.first, wait.is_judged) for wait in hearing.waits] == [(5.0, 15.0, False)]
