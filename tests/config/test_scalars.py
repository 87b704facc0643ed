"""Plain scalars of YAML 1.2."""

import math

import pytest

from autoscaler.config.scalars import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(word, None) for word in ("", "~", "null", "NULL")],
        *[("true", True), ("False", False)],
        *[("12", 12), ("-3", -3), ("+3", 3), ("012", 12), ("0x1F", 31), ("0o17", 15)],
        *[("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-.inf", -math.inf)],
        *[(word, word) for word in ("no", "on", "yes", "1:30", "5s", "1_000", "2026-11-22", "0b1", "e3", ".", "-")],
    ],
)
def test_scalar_is_read_as_yaml_1_2_says(text, value):
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number_is_a_number():
    assert math.isnan(resolve(".nan"))


def test_endless_digits_are_beyond_all_numbers():
    assert resolve("9" * 5000) == math.inf
