"""Counting with fractions, and writing them for people."""

from fractions import Fraction
from math import ceil, floor

import pytest

from autoscaler.decide.exact import brief, ceiling, ceiling_of_percent, exact, floor_of_percent, rounded_up, tenths


@pytest.mark.parametrize(("value", "unit", "processes"), [(1.1, 0.11, 10), (0.7, 0.1, 7), (2.1, 0.7, 3), (7, 2, 4), (0, 5, 0)])
def test_a_person_and_the_division_agree(value, unit, processes):
    assert ceiling(exact(value) / exact(unit)) == processes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(14, 3), "4.66667"),
        (700.0, "700"),
        (0.001, "0.001"),
        (14.0025, "14.0025"),
        (123456.789, "123456.79"),
        (2.50, "2.5"),
        (0, "0"),
        (-3.0, "-3"),
        (1e300, "1.00e+300"),
        (exact(1e308) * 1000, "1.00e+311"),
    ],
)
def test_a_number_is_written_briefly(value, text):
    assert brief(value) == text


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises((ValueError, OverflowError)):
        exact(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(Fraction(14, 3), "4.67 -> 5"), (Fraction(5001, 1000), "5.001 -> 6"), (Fraction(5), "5 -> 5"), (Fraction(1, 10**9), "1e-09 -> 1")],
)
def test_a_quotient_shows_why_it_rounds_up(value, text):
    assert rounded_up(value) == text


def test_percentages_are_exact_where_floats_are_off_by_one_in_860_places():
    """The float formulas are those of Kubernetes HPA (horizontal.go): ceil(n (1 + p / 100)) up, int(n (1 - p / 100)) down."""
    pairs = [(size, percent) for size in range(1, 1001) for percent in range(1, 101)]
    wrong = [ceil(size * (1 + percent / 100)) != ceiling_of_percent(size, 100 + percent) for size, percent in pairs]
    wrong += [int(size * (1 - percent / 100)) != floor_of_percent(size, 100 - percent) for size, percent in pairs]

    assert sum(wrong) == 860
    assert all(ceiling_of_percent(size, 100 + percent) == ceil(Fraction(size * (100 + percent), 100)) for size, percent in pairs)
    assert all(floor_of_percent(size, 100 - percent) == floor(Fraction(size * (100 - percent), 100)) for size, percent in pairs)


@pytest.mark.parametrize(("seconds", "text"), [(46.0001, "46"), (0.04, "0"), (1.25, "1.2"), (600.0, "600")])
def test_seconds_are_written_to_a_tenth(seconds, text):
    assert tenths(seconds) == text
