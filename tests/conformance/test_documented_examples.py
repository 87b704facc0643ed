"""Worked examples of vendors' manuals, told apart by the fields they have."""

import pytest

from autoscaler.decide.exact import exact
from autoscaler.model import Counts, Observation, ProcessType, Reading
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.step import Step
from autoscaler_policies.step_bands import Band
from autoscaler_policies.target import Target
from tests.conformance.one_type import METRIC, Course, check_of, decided, settings_of

pytestmark = pytest.mark.shared

_ALWAYS = 1.0  # a reading in the band of `_step`


def _step(change, **options):
    return Step(metric=METRIC, bands=(Band(above=0, change=change, **options),), reading_is="total")


def _written(amount, adjustment):
    percent = {"percent": "%", "capacity": ""}[adjustment]
    return f"{amount:+}{percent}"


def _check_rounding(given, expect):
    """Of a hundred processes, x percent are x."""
    changes = [decided(settings_of(_step(f"{raw:+}%")), 100, [_ALWAYS]).target - 100 for raw in given["raw"]]

    assert {"rounded": changes} == expect


def _ladder(given):
    """Write steps relative to a threshold as bands; one without a change is the hold zone."""
    out = [_band(("at_least", "below"), given["threshold"]["high"], given["adjustment"], step) for step in given["out_steps"] if step[2]]
    inward = [_band(("above", "at_most"), given["threshold"]["low"], given["adjustment"], step) for step in given["in_steps"] if step[2]]
    return (*out, *inward)


def _band(edges, threshold, adjustment, step):
    given = {edge: threshold + bound for edge, bound in zip(edges, step[:2], strict=True) if bound is not None}
    return Band(**given, change=_written(step[2], adjustment))


def _check_walk(given, expect):
    course = Course(settings_of(Step(metric=METRIC, bands=_ladder(given))), given["start"])
    sizes = []
    for value in given["metrics"]:
        sizes.append(course.tick(value).target)
        course.tick(value)  # the size is seen to have changed, and the same reading does not change it again
        assert course.size == sizes[-1]

    assert {"sizes": sizes} == expect


def _check_magnitude(given, expect):
    step = _step(f"{given['percent']:+}%", magnitude=given["min_magnitude"])

    assert {"add": decided(settings_of(step), given["current"], [_ALWAYS]).target - given["current"]} == expect


def _check_backlog(given, expect):
    each = expect["target_backlog"]
    total = Backlog(waiting=METRIC, per_process=each)
    mean = Target(metric=METRIC, utilization=each)

    assert exact(given["acceptable_latency_s"]) / exact(given["avg_processing_s"]) == each
    assert decided(settings_of(total), given["running"], [given["backlog"]]).target == expect["desired"]
    assert decided(settings_of(mean), given["running"], [expect["backlog_per_process"]]).target == expect["desired"]


def _check_flapping(given, expect):
    current, metric, fewer = given["current"], given["metric"], given["current"] - given["step"]
    bands = (Band(above=given["out_at"], change=given["step"]), Band(at_most=given["in_at"], change=-given["step"]))
    target = decided(settings_of(Step(metric=METRIC, bands=bands)), current, [metric]).target

    assert _projects_to(expect["projected"], current, metric, fewer)
    assert (target < current) == expect["scale_in"]


def _projects_to(value, current, metric, fewer):
    """Tell whether a policy projects a reading onto just this value: in a band that begins with it, not in one that begins above."""
    web = ProcessType(name="web", minimum=0, maximum=99)
    observation = Observation(0.0, 0.0, web, Counts(current, current), {METRIC: Reading(METRIC, metric, 0.0)})
    bands = (Band(at_least=value, change=1), Band(above=value, change=1))
    return [Step(metric=METRIC, bands=(band,)).projected(observation, fewer) - fewer for band in bands] == [1, 0]


def _check_jump(given, expect):
    course = Course(settings_of(_step(given["jump"]), maximum=given["max"]), given["current"])
    sizes = []
    for _ in expect.get("sizes", [None]):
        sizes.append(course.tick(_ALWAYS).target)
        course.tick(_ALWAYS)

    assert expect == ({"sizes": sizes} if "sizes" in expect else {"desired": sizes[-1]})


_CHECKS = {
    frozenset({"raw"}): _check_rounding,
    frozenset({"threshold", "out_steps", "in_steps", "adjustment", "start", "metrics"}): _check_walk,
    frozenset({"current", "percent", "min_magnitude"}): _check_magnitude,
    frozenset({"backlog", "running", "avg_processing_s", "acceptable_latency_s"}): _check_backlog,
    frozenset({"current", "metric", "out_at", "in_at", "step"}): _check_flapping,
    frozenset({"current", "jump", "max"}): _check_jump,
}


def test_example_gives_the_figures_of_its_manual(case):
    check_of(case, _CHECKS)(case["input"], case["expect"])
