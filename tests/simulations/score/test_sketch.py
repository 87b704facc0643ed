"""A sketch of durations: how near its quantiles come, and that what is taken back is gone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.sketch import Sketch

SHARES = (0.0, 0.001, 0.07, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
durations = st.lists(st.floats(min_value=0, max_value=1e9).map(lambda value: value if value > 1e-6 else 0.0), min_size=1, max_size=60)


def sketch_of(values, weights=None):
    sketch = Sketch()
    sketch.add(np.array(values, dtype=float), None if weights is None else np.array(weights, dtype=float))
    return sketch


@given(durations)
def test_every_quantile_is_right_to_a_thousandth_of_the_nearest_rank(values):
    sketch, ordered = sketch_of(values), sorted(values)
    for share in SHARES:
        rank = max(1, int(np.ceil(share * len(values) * (1 - 1e-12))))
        assert sketch.quantile(share) == pytest.approx(ordered[rank - 1], rel=0.001 + 1e-9)


@given(durations)
def test_mean_count_and_maximum_are_exact(values):
    sketch = sketch_of(values)

    assert (sketch.count, sketch.maximum) == (len(values), max(values))
    assert sketch.mean == pytest.approx(np.mean(values))


@given(durations, durations)
def test_what_is_removed_leaves_no_trace(kept, removed):
    sketch = sketch_of([*kept, *removed])
    sketch.remove(np.array(removed))

    assert sketch.count == len(kept)
    assert sketch.mean == pytest.approx(np.mean(kept), abs=1e-6 + 1e-12 * sum(removed))
    assert [sketch.quantile(share) for share in SHARES[:-1]] == pytest.approx([sketch_of(kept).quantile(share) for share in SHARES[:-1]], rel=0.0021)
    assert sketch.maximum == pytest.approx(max(kept), rel=0.0021)


def test_a_quantile_is_a_value_that_somebody_had():
    assert sketch_of([1.0, 100.0]).quantile(0.5) == pytest.approx(1.0, rel=0.001)
    assert sketch_of(range(1, 101)).quantile(0.07) == pytest.approx(7.0, rel=0.001)
    assert sketch_of(range(1, 101)).quantile(0.071) == pytest.approx(8.0, rel=0.001)


def test_weights_count_as_that_many():
    weighted, repeated = sketch_of([1.0, 2.0, 9.0, 50.0], [3, 2, 1, 0]), sketch_of([1.0, 1.0, 1.0, 2.0, 2.0, 9.0])

    assert weighted.percentiles() == repeated.percentiles()
    assert weighted.count == repeated.count


def test_no_wait_is_exactly_none_and_a_microsecond_of_rounding_neither():
    sketch = sketch_of([0.0, 1e-9, -1e-9, 1.0])

    assert sketch.quantile(0.75) == 0.0
    assert sketch.quantile(0.76) == pytest.approx(1.0, rel=0.001)


def test_the_longest_wait_of_all_is_kept_beyond_the_last_bin():
    assert sketch_of([5e9]).maximum == 5e9


def test_an_empty_sketch_knows_nothing():
    sketch = sketch_of([])

    assert (sketch.count, sketch.mean, sketch.maximum, sketch.quantile(0.5)) == (0.0, None, None, None)
    assert str(sketch.percentiles()) == "not measured"


@pytest.mark.parametrize("bad", [[1.0, float("nan")], [float("inf")], [-1.0, 2.0]])
def test_what_is_no_duration_is_refused(bad):
    with pytest.raises(ScoreError, match="every one must be finite and not negative"):
        sketch_of(bad)


def test_a_weight_below_nothing_is_refused():
    with pytest.raises(ScoreError, match="weights from -1 to 1"):
        sketch_of([1.0, 2.0], [-1.0, 1.0])


def test_percentiles_read_as_a_line():
    assert str(sketch_of([0.0, 0.0, 4.0]).percentiles()) == "mean 1.33 s, p50 0 s, p95 4 s, p99 4 s, p99.9 4 s, maximum 4 s"
