"""All mistakes in one error."""

import pytest

from autoscaler.config import ConfigurationError, Mistake
from autoscaler.model import AutoscalerError


def test_error_has_one_line_for_each_mistake_in_the_order_of_the_file():
    error = ConfigurationError(
        "a.yaml", [Mistake(12, 14, "b.c", "late; move it"), Mistake(2, 1, "b", "early; move it"), Mistake(0, 0, "", "all; write it")]
    )
    assert str(error) == "a.yaml: all; write it\na.yaml:2:1: b: early; move it\na.yaml:12:14: b.c: late; move it"


def test_error_is_one_that_the_autoscaler_can_name():
    assert issubclass(ConfigurationError, AutoscalerError)


def test_the_same_mistake_is_told_once():
    error = ConfigurationError("a.yaml", [Mistake(1, 1, "b", "wrong")] * 2)
    assert error.mistakes == (Mistake(1, 1, "b", "wrong"),)


def test_mistake_stays_on_one_line():
    assert Mistake(1, 2, "b", "first\n  second").said_of("a.yaml") == "a.yaml:1:2: b: first second"


def test_mistake_is_frozen():
    with pytest.raises(AttributeError):
        Mistake(1, 1, "b", "wrong").line = 2
