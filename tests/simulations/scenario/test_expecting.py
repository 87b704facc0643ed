"""Ranges are read from the file, and results are held against them."""

import pytest

from autoscaler_simulations.engine.result import run
from autoscaler_simulations.scenario.expectation import FIGURES, Expectation, figure_of
from autoscaler_simulations.scenario.preparing import Changes, prepare

_RANGE = "a range has two finite numbers; write its lowest and its highest value, such as [1, 2]"


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        ("{wbe: {starts: [1, 2]}}", "10: expect.wbe: the configuration has no process type 'wbe'; did you mean web?"),
        ("{web: {strats: [1, 2]}}", "16: expect.web.strats: the result has no such figure; did you mean starts?"),
        ("{web: {starts: [2, 1]}}", "24: expect.web.starts: the range begins above its end; write [1, 2]"),
        ("{web: {starts: [1]}}", f"24: expect.web.starts: {_RANGE}"),
        ("{web: {starts: [.nan, 1]}}", f"24: expect.web.starts: {_RANGE}"),
        ("{web: {starts: [1, .inf]}}", f"24: expect.web.starts: {_RANGE}"),
        ("{web: {starts: [true, 2]}}", f"24: expect.web.starts: {_RANGE}"),
        ("{web: {starts: 3}}", "24: expect.web.starts: 3 is a number, not a range; write its lowest and its highest value, such as [1, 2]"),
        ("{web: [1]}", "15: expect.web: this is a list, not a mapping; write figures with their ranges, such as `process_hours: [1, 2]`"),
        ("yes", "9: expect: 'yes' is text, not a mapping; write process types with their figures, such as `web: {process_hours: [1, 2]}`"),
    ],
)
def test_mistake_in_what_is_expected_is_told_at_its_place(refusal, expected, sentence):
    assert refusal(added=f"expect: {expected}\n") == [f"s.yaml:11:{sentence}"]


def test_ranges_are_read_in_the_order_of_the_file(read):
    scenario = read(added="expect: {web: {starts: [1, 2], wait_seconds.p99: [0, 0.5]}}\n")
    assert scenario.expectations == (Expectation("web", "starts", 1.0, 2.0), Expectation("web", "wait_seconds.p99", 0.0, 0.5))


@pytest.mark.parametrize("value", [1, 2])
def test_bounds_belong_to_the_range(value):
    assert Expectation("web", "starts", 1, 2).judge({"starts": value}) is None


def test_figure_outside_its_range_is_told():
    said = Expectation("web", "wait_seconds.p99", 1, 2).judge({"wait_seconds": {"p99": 2.5}})
    assert said == "web: wait_seconds.p99 is 2.5, expected 1 to 2"


def test_figure_that_is_not_there_breaks_what_is_expected():
    assert Expectation("web", "oracle.to_demand", 1, 2).judge({"oracle": {"to_demand": None}}) == "web: oracle.to_demand is nothing, expected 1 to 2"


def test_path_that_ends_early_holds_no_figure():
    assert figure_of({"wait_seconds": 3}, "wait_seconds.p99") is None


def _numbers(value, path=""):
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in _numbers(inner, f"{path}.{key}" if path else key)]
    return [path] if isinstance(value, int | float) else []


def test_every_number_that_a_run_decides_can_be_expected(read):
    result = run(prepare(read(), Changes()), 1).score.types["web"].as_json()
    given = {"objective.seconds", "objective.share", "elasticity.deviation.power", "elasticity.demand_of_zero_divides_as"}
    assert sorted(FIGURES) == sorted(path for path in _numbers(result) if path not in given and not path.startswith("confidence."))
