"""Draw the named shapes of a load."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.config.derive import options_of
from autoscaler_simulations.load.generators import Batch, Constant, Diurnal, FlashCrowd, Poisson, Ramp, Step

_RATE = st.floats(0.0, 1000.0)
_TIME = st.floats(0.0, 500.0)
_SPAN = st.floats(0.5, 500.0)
_SHAPES = st.one_of(
    st.builds(Constant, rate=_RATE),
    st.builds(Poisson, rate=_RATE),
    st.builds(Step, rate=_RATE, to=_RATE, at_seconds=_TIME),
    st.builds(Ramp, rate=_RATE, to=_RATE, at_seconds=_TIME, for_seconds=_SPAN),
    st.builds(Diurnal, trough=st.floats(0.0, 10.0), peak=st.floats(10.0, 50.0), period_seconds=st.floats(20.0, 500.0), peak_at_seconds=_TIME),
    st.builds(
        FlashCrowd,
        rate=st.floats(0.0, 10.0),
        peak=st.floats(10.0, 500.0),
        at_seconds=_TIME,
        rise_seconds=_TIME,
        hold_seconds=_TIME,
        fall_seconds=_TIME,
    ),
    st.builds(Batch, size=st.integers(1, 500), every_seconds=st.floats(60.0, 500.0), first_at_seconds=_TIME, within_seconds=st.floats(0.0, 60.0)),
)


@given(_SHAPES, st.floats(1.0, 2000.0))
def test_every_shape_lasts_as_asked_and_is_never_negative(shape, length):
    curve = shape.curve(length)
    assert curve.length_seconds == pytest.approx(length)
    assert np.isfinite(curve.rates).all()
    assert (curve.rates >= 0).all()


@given(_SHAPES, st.integers(60, 1000))
def test_the_beginning_of_a_shape_does_not_depend_on_its_length(shape, length):
    assert shape.curve(length).rates == pytest.approx(shape.curve(2 * length).rates[:length], abs=1e-6)


@pytest.mark.parametrize(("shape", "spread"), [(Constant(rate=2.0), "even"), (Poisson(rate=2.0), "poisson")])
def test_a_constant_rate_is_even_or_by_chance(shape, spread):
    assert shape.spread == spread
    assert shape.curve(10.0).rates == pytest.approx([2.0] * 10)


def test_a_step_changes_the_rate_at_its_moment():
    assert Step(rate=1.0, to=5.0, at_seconds=3.0).curve(6.0).rates == pytest.approx([1, 1, 1, 5, 5, 5])


def test_a_step_within_an_interval_shows_as_its_mean():
    assert Step(rate=1.0, to=5.0, at_seconds=1.25).curve(3.0).rates == pytest.approx([1, 4, 5])


def test_a_step_at_once_is_the_second_rate():
    assert Step(rate=1.0, to=5.0, at_seconds=0.0).curve(2.0).rates == pytest.approx([5, 5])


def test_a_ramp_changes_evenly():
    assert Ramp(rate=2.0, to=6.0, at_seconds=1.0, for_seconds=4.0).curve(6.0).rates == pytest.approx([2, 2.5, 3.5, 4.5, 5.5, 6])


def test_a_flash_crowd_rises_holds_and_falls():
    crowd = FlashCrowd(rate=1.0, peak=9.0, at_seconds=1.0, rise_seconds=2.0, hold_seconds=1.0, fall_seconds=1.0)
    assert crowd.curve(6.0).rates == pytest.approx([1, 3, 7, 9, 5, 1])


def test_a_flash_crowd_may_rise_at_once():
    crowd = FlashCrowd(rate=1.0, peak=9.0, at_seconds=1.0, rise_seconds=0.0, hold_seconds=1.0, fall_seconds=0.0)
    assert crowd.curve(3.0).rates == pytest.approx([1, 9, 1])


def test_a_day_has_its_peak_in_the_middle_unless_said():
    rates = Diurnal(trough=10.0, peak=30.0).curve(86_400.0).rates
    assert np.argmax(rates) == pytest.approx(len(rates) / 2, abs=1)
    assert (rates.min(), rates.max(), rates.mean()) == pytest.approx((10.0, 30.0, 20.0), abs=1e-3)


def test_a_day_has_its_peak_where_it_is_said():
    rates = Diurnal(trough=10.0, peak=30.0, period_seconds=1000.0, peak_at_seconds=250.0).curve(1000.0).rates
    assert np.argmax(rates) in (249, 250)


def test_batches_arrive_whole_at_their_moments():
    curve = Batch(size=7, every_seconds=4.0, first_at_seconds=1.0).curve(10.0)
    assert (curve.rates.tolist(), curve.are_counts) == ([0, 7, 0, 0, 0, 7, 0, 0, 0, 7], True)


@given(st.integers(1, 1000), st.floats(0.0, 9.5), st.integers(1, 30))
def test_no_job_of_a_batch_is_lost_in_its_span(size, within, batches):
    rates = Batch(size=size, every_seconds=10.0, within_seconds=within).curve(10.0 * batches).rates
    assert rates.reshape(batches, 10).sum(axis=1).tolist() == [size] * batches
    assert (rates == np.rint(rates)).all()


@pytest.mark.parametrize(
    ("shape", "fields", "said"),
    [
        (Diurnal, {"trough": 5.0, "peak": 4.0}, "peak 4 is below trough 5"),
        (
            FlashCrowd,
            {"rate": 5.0, "peak": 4.0, "at_seconds": 1.0, "rise_seconds": 1.0, "hold_seconds": 1.0, "fall_seconds": 1.0},
            "peak 4 is below rate 5",
        ),
        (Batch, {"size": 5, "every_seconds": 4.0, "within_seconds": 5.0}, "within 5s is longer than every 4s"),
    ],
)
def test_what_contradicts_itself_is_refused(shape, fields, said):
    with pytest.raises(ValueError, match=said):
        shape(**fields)


def test_the_configuration_writes_durations_without_their_unit():
    keys = {shape.__name__: [option.key for option in options_of(shape)] for shape in (Constant, Ramp, Batch)}
    assert keys == {"Constant": ["rate"], "Ramp": ["rate", "to", "at", "for"], "Batch": ["size", "every", "first_at", "within"]}
