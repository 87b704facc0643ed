"""The expression policy: what a formula may say, what it gives, and what is refused."""

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.decide.settings import metrics_of
from autoscaler.model import Counts, Missing, MissingReadingError, Observation, ProcessType, Reading
from autoscaler_policies.expression import Expression
from autoscaler_policies.formula import read_formula

WORKER = ProcessType(name="worker", minimum=1, maximum=40, slots=4, interval_seconds=5.0)


def observe(**values):
    readings = {metric: Reading(metric, float(value), 0.0) for metric, value in values.items()}
    counts = Counts(desired=7, running=4, starting=2, draining=3, failed=1)
    return Observation(0.0, 0.0, WORKER, counts, readings, {"gone": "down"}, startup_seconds=2.5)


def answer(formula, **values):
    return Expression(processes=formula, readings=tuple(values)).recommend(observe(**values), None)


def computed(text, **values):
    return read_formula(text, tuple(values)).compute(values)


@pytest.mark.parametrize(
    ("formula", "values", "processes", "reason"),
    [
        ("ceil(jobs_waiting / 20) + 1", {"jobs_waiting": 130}, 8, "ceil(jobs_waiting / 20) + 1 with jobs_waiting 130 = 8"),
        ("jobs / 5", {"jobs": 12}, 3, "jobs / 5 with jobs 12 = 2.4 -> 3"),
        ("jobs / 5", {"jobs": 2.5}, 1, "jobs / 5 with jobs 2.5 = 0.5 -> 1"),
        ("1 if jobs > 0 else 0", {"jobs": 0.5}, 1, "1 if jobs > 0 else 0 with jobs 0.5 = 1"),
        ("jobs - 9", {"jobs": 4}, 0, "jobs - 9 with jobs 4 = -5 -> 0"),
        ("jobs - 4.5", {"jobs": 4}, 0, "jobs - 4.5 with jobs 4 = -0.5 -> 0"),
        ("2 + 1", {}, 3, "2 + 1 = 3"),
        ("desired + jobs", {"jobs": 1}, 8, "desired + jobs with desired 7, jobs 1 = 8"),
        ("jobs > 0", {"jobs": 3}, 1, "jobs > 0 with jobs 3 = 1"),
    ],
)
def test_the_formula_gives_the_processes_and_the_reason_shows_how(formula, values, processes, reason):
    recommendation = answer(formula, **values)

    assert (recommendation.processes, recommendation.reason) == (processes, reason)
    assert type(recommendation.processes) is int


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("desired", 7),
        ("running", 4),
        ("starting", 2),
        ("draining", 3),
        ("failed", 1),
        ("capacity", 6),
        ("minimum", 1),
        ("maximum", 40),
        ("slots", 4),
        ("startup * 2", 5),
        ("interval", 5),
    ],
)
def test_a_formula_knows_the_formation(name, value):
    assert answer(name).processes == value


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("round(2.5)", 3),
        ("round(3.5)", 4),
        ("round(-2.5)", -3),
        ("round(2.4)", 2),
        ("trunc(-2.5)", -2),
        ("floor(-2.5)", -3),
        ("ceil(-2.5)", -2),
        ("abs(-2.5)", Fraction(5, 2)),
        ("min(3, 1, 2)", 1),
        ("max(3, 1 + 4)", 5),
        ("7 // 2", 3),
        ("-7 % 3", 2),
        ("+7 - -2", 9),
        ("1 < 2 < 3", 1),
        ("1 < 2 > 3", 0),
        ("0 and 1 / 0", 0),
        ("2 and 3", 3),
        ("0 or 4", 4),
        ("5 or 1 / 0", 5),
        ("not 0", 1),
        ("3 if 1 == 2 else 4", 4),
        ("1 != 2", 1),
        ("1 <= 1", 1),
        ("1 >= 2", 0),
    ],
)
def test_arithmetic_is_pythons(formula, value):
    assert computed(formula) == value


@pytest.mark.parametrize(
    ("formula", "value"),
    [("ceil(100 * 1.1)", 110), ("ceil(0.1 * 3 / 0.3)", 1), ("ceil(1 / 3 * 3)", 1), ("9007199254740993 - 9007199254740992", 1)],
)
def test_no_last_bit_of_a_float_costs_a_process(formula, value):
    assert computed(formula) == value


def test_a_formula_over_several_lines_is_one():
    assert answer("ceil(jobs / 20)\n  + 1\n", jobs=40).reason == "ceil(jobs / 20) + 1 with jobs 40 = 3"


def test_a_division_by_zero_is_missing_data():
    missing = answer("20 / jobs", jobs=0)

    assert isinstance(missing, Missing)
    assert missing.reason.startswith("expression is missing: 20 / jobs with jobs 0 divides by zero; write the case of 0")


def test_only_readings_of_the_formula_must_be_there():
    policy = Expression(processes="jobs + 1", readings=("jobs", "gone"))

    assert policy.recommend(observe(jobs=2), None).processes == 3
    assert policy.warnings() == ("the formula does not use gone; remove it from readings, or use it",)
    with pytest.raises(MissingReadingError, match="gone is missing: down"):
        Expression(processes="gone", readings=("gone",)).recommend(observe(), None)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_reading_that_is_no_number_is_missing(value):
    with pytest.raises(MissingReadingError, match="jobs is missing"):
        answer("jobs", jobs=value)


def test_the_readings_are_its_metrics():
    assert metrics_of(Expression(processes="a + b", readings=("a", "b"))) == ("a", "b")


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("jobs /", r"'jobs /' cannot be read at its end: invalid syntax; write arithmetic such as"),
        ("", r"cannot be read"),
        ("jobs + job", r"'jobs \+ job', character 8: job is not known; the names are jobs, desired, .*; list a metric under readings"),
        ("cel(jobs)", r"character 1: cel is no function here; the functions are abs, ceil, floor, max, min, round, trunc"),
        ("1 + min(3)", r"character 5: min takes 2 arguments or more"),
        ("ceil(1, 2)", r"ceil takes 1 argument"),
        ("max(1, key=2)", r"max takes"),
        ("9**9**9", r"has an operator that is not known"),
        ("1 << 99999", r"has an operator that is not known"),
        ("~1", r"has an operator that is not known"),
        ("1 in 2", r"has an operator that is not known"),
        ("'a' * 999999999", r"'a' is no number here"),
        ("True", r"True is no number here"),
        ("1e999", r"1e999 is no number here"),
        ("1j", r"1j is no number here"),
        ("().__class__", r"is no arithmetic"),
        ("jobs.real", r"jobs.real is no arithmetic"),
        ("jobs.conjugate()", r"jobs.conjugate is no function here"),
        ("ceil", r"ceil is not known"),
        ("[1][0]", r"is no arithmetic"),
        ("[x for x in (1,)]", r"is no arithmetic"),
        ("lambda: 1", r"is no arithmetic"),
        ("f'{1}'", r"is no arithmetic"),
        ("max(*(1, 2), 3)", r"is no arithmetic"),
        ("(x := 3)", r"is no arithmetic"),
        ("__import__('os')", r"__import__ is no function here"),
        ("1; 2", r"cannot be read at character 2"),
        ("x = 3", r"cannot be read"),
        ("jobs > 0 ? 1 : 0", r"cannot be read"),
        ("a\0b", r"cannot be read"),
        ("é + 1", r"character 1: é is not known"),
        ("(" * 249 + "1" + ")" * 249, r"cannot be read"),
        ("-" * 400 + "1", r"cannot be read|nested deeper than 100 levels"),
        ("+".join(["1"] * 150), r"nested deeper than 100 levels"),
        ("1" * 501, r"the formula has 501 characters; write at most 500"),
    ],
)
def test_what_is_no_formula_is_refused_with_its_place(formula, said):
    with pytest.raises(ValueError, match=said):
        Expression(processes=formula, readings=("jobs",))


@pytest.mark.parametrize("name", ["jobs-waiting", "2nd", "if", "jobs.total", "é"])
def test_a_reading_that_a_formula_cannot_name_is_refused(name):
    with pytest.raises(ValueError, match="cannot stand in a formula; name the metric with letters, digits and _ only"):
        Expression(processes="1", readings=(name,))


@pytest.mark.parametrize("name", ["desired", "ceil"])
def test_a_reading_with_a_name_of_ours_is_refused(name):
    with pytest.raises(ValueError, match="means something else in a formula"):
        Expression(processes="1", readings=(name,))


@pytest.mark.parametrize("formula", ["j*" * 90 + "j", "j/" * 90 + "j", "max(" * 99 + "j,j*j" + ",j)" * 99, "j" + "*j/j" * 49])
def test_no_formula_takes_long(formula):
    begun = time.perf_counter()
    try:
        result = answer(formula[:500], j=1.234567890123456e-300)
    except ValueError:
        return

    assert result.reason
    assert time.perf_counter() - begun < 1.0


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_any_readings_give_an_answer(one, other):
    policy = Expression(processes="one * one * other + ceil(one / (abs(other) + 1)) % 7", readings=("one", "other"))

    assert policy.recommend(observe(one=one, other=other), None).processes >= 0


@given(st.text(alphabet="jobs0123456789.+-*/%()<>=! ,ceilmaxifelseandort'[]{}:\n", max_size=60))
def test_any_text_is_a_formula_or_a_value_error(text):
    try:
        policy = Expression(processes=text, readings=("jobs",))
    except ValueError:
        return
    assert policy.recommend(observe(jobs=3), None).reason
