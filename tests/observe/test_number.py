import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.observe.number import number_from
from autoscaler.observe.source import SourceError


@pytest.mark.parametrize(("text", "number"), [("5", 5.0), (" 5.5\n", 5.5), ("-3", -3.0), (".5", 0.5), ("1e3", 1000.0), ("+7.", 7.0), ("0", 0.0)])
def test_one_number_is_read(text, number):
    assert number_from(text, "it") == number


@pytest.mark.parametrize("text", ["1_000", "1,5", "five", "1 2", "1\n2", "0x10", "٣", "1e", "--1", "5%"])
def test_anything_else_is_quoted(text):
    with pytest.raises(SourceError, match="it is not one number: "):
        number_from(text, "it")


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_nothing_is_not_zero(text):
    with pytest.raises(SourceError, match=r"^it is empty$"):
        number_from(text, "it")


def test_nan_and_infinity_are_left_to_the_reading():
    assert math.isnan(number_from("NaN", "it"))
    assert number_from("-Inf", "it") == -math.inf
    assert number_from("1e999", "it") == math.inf


def test_a_long_text_is_cut():
    with pytest.raises(SourceError) as caught:
        number_from("x" * 10_000, "it")
    assert len(str(caught.value)) < 100


@given(st.floats(allow_nan=False))
def test_every_float_that_python_writes_is_read(number):
    assert number_from(repr(number), "it") == number
