"""Place requests in time, and lose none."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler_simulations.load import arrivals as module
from autoscaler_simulations.load import placing
from autoscaler_simulations.load.arrivals import Arrivals
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.trace import JobList, RateCurve


@dataclass(frozen=True)
class Exponential:
    mean: float = 0.1
    scv: float = 1.0

    def draw(self, chance, number):
        return chance.exponential(self.mean, number)


_COUNTS = st.lists(st.integers(0, 300), min_size=1, max_size=40)
_SPREADS = st.sampled_from(["poisson", "even"])


def _curve(counts, interval=2.0, *, are_counts=True):
    return RateCurve(interval, np.array(counts, float) / interval, are_counts=are_counts)


def _blocks(trace, service=Exponential(), seed=1, **options):
    return list(Arrivals(trace, service, **options).blocks(np.random.default_rng(seed)))


def _all(blocks):
    return np.concatenate([block.arrivals for block in blocks])


def _per_interval(blocks, curve):
    edges = np.arange(len(curve.rates) + 1) * curve.interval_seconds
    return np.histogram(_all(blocks), edges)[0].tolist()


@given(_COUNTS, st.sampled_from([0.1, 1.0, 60.0]), _SPREADS)
def test_recorded_counts_are_repeated_exactly(counts, interval, spread):
    curve = _curve(counts, interval)
    assert _per_interval(_blocks(curve, spread=spread), curve) == counts


@given(_COUNTS, _SPREADS, st.booleans(), st.integers(1, 500))
def test_blocks_follow_each_other_and_hold_what_arrives_in_them(counts, spread, are_counts, size):
    curve = _curve(counts, are_counts=are_counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "BLOCK_ARRIVALS", size)
        blocks = _blocks(curve, spread=spread)
    assert [block.begins for block in blocks] == [0.0, *(block.ends for block in blocks[:-1])]
    assert blocks[-1].ends == curve.length_seconds
    assert all(((block.begins <= block.arrivals) & (block.arrivals <= block.ends)).all() for block in blocks)
    assert all(len(block.services) == len(block.arrivals) for block in blocks)
    assert (np.diff(_all(blocks)) >= 0).all()
    assert all(block.ends % curve.interval_seconds == 0 for block in blocks)


@given(_COUNTS, _SPREADS, st.integers(1, 500))
def test_the_size_of_blocks_changes_no_arrival(counts, spread, size):
    curve = _curve(counts, are_counts=False)
    whole = _blocks(curve, spread=spread)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "BLOCK_ARRIVALS", size)
        patch.setattr(placing, "_BLOCK_INTERVALS", 3)
        pieces = _blocks(curve, spread=spread)
    assert len(pieces) >= len(counts) / 3
    assert _all(pieces) == pytest.approx(_all(whole), abs=1e-9)


@given(st.floats(0.001, 50.0), st.integers(1, 400), st.sampled_from([0.5, 1.0, 30.0]))
def test_an_even_constant_load_brings_rate_times_length(rate, number, interval):
    curve = RateCurve(interval, np.full(number, rate))
    assert abs(len(_all(_blocks(curve, spread="even"))) - rate * interval * number) <= 0.5 + 1e-6


def test_an_even_load_leaves_equal_distances():
    arrivals = _all(_blocks(RateCurve(1.0, np.full(100, 0.4)), spread="even"))
    assert arrivals == pytest.approx(1.25 + 2.5 * np.arange(40))


def test_an_even_load_is_the_same_for_any_seed():
    curve = _curve([3, 0, 7], are_counts=False)
    assert _all(_blocks(curve, spread="even", seed=1)).tolist() == _all(_blocks(curve, spread="even", seed=2)).tolist()


def test_gaps_of_a_poisson_load_are_exponential():
    gaps = np.diff(_all(_blocks(RateCurve(1.0, np.full(20_000, 5.0)))))
    assert gaps.mean() == pytest.approx(0.2, rel=0.02)
    assert gaps.var() / gaps.mean() ** 2 == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("fano", [1.0, 2.5, 10.0])
def test_numbers_vary_by_the_fano_factor(fano):
    curve = RateCurve(1.0, np.full(30_000, 20.0))
    numbers = np.array(_per_interval(_blocks(curve, fano=fano), curve))
    assert numbers.mean() == pytest.approx(20.0, rel=0.02)
    assert numbers.var() / numbers.mean() == pytest.approx(fano, rel=0.05)


def test_no_request_arrives_while_the_rate_is_zero():
    curve = RateCurve(1.0, np.array([0.0, 5.0, 0.0] * 50))
    numbers = np.array(_per_interval(_blocks(curve, fano=3.0), curve)).reshape(-1, 3)
    assert (numbers.sum(axis=0)[[0, 2]] == 0).all()
    assert numbers.sum() > 100


def test_the_same_seed_draws_the_same_and_another_one_does_not():
    curve = RateCurve(1.0, np.full(50, 10.0))
    first, again, other = (_all(_blocks(curve, seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_another_service_leaves_the_arrivals_as_they_are():
    curve = RateCurve(1.0, np.full(50, 10.0))
    fast, slow = _blocks(curve, Exponential(0.1)), _blocks(curve, Exponential(7.0))
    assert _all(fast).tolist() == _all(slow).tolist()
    assert slow[0].services.mean() > 10 * fast[0].services.mean()


def test_blocks_stay_small():
    blocks = _blocks(RateCurve(1.0, np.concatenate([np.full(30_000, 0.01), np.full(300, 1000.0)])))
    assert max(len(block.arrivals) for block in blocks) <= 65_536
    assert max(block.ends - block.begins for block in blocks) <= 10_000


def test_an_interval_with_more_requests_than_a_block_is_one_block():
    blocks = _blocks(_curve([10, 100_000, 10]))
    assert [len(block.arrivals) for block in blocks] == [10, 100_000, 10]


def test_an_interval_with_too_many_requests_is_refused():
    with pytest.raises(TraceError, match="6e\\+07 requests in the interval at 2 s are more than the 50,000,000"):
        _blocks(_curve([1, 60_000_000]))


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_jobs_keep_their_arrivals_and_services(size, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ARRIVALS", size)
    jobs = JobList(np.array([0.0, 1.0, 1.0, 4.5]), np.array([3.0, 1.0, 2.0, 9.0]), 6.0)
    blocks = _blocks(jobs, None)
    assert _all(blocks).tolist() == jobs.arrivals.tolist()
    assert np.concatenate([block.services for block in blocks]).tolist() == jobs.services.tolist()
    assert [block.begins for block in blocks] == [0.0, *(block.ends for block in blocks[:-1])]
    assert blocks[-1].ends == 6.0


def test_jobs_take_services_of_a_distribution_when_one_is_given():
    jobs = JobList(np.array([0.0, 1.0]), np.array([1e6, 1e6]), 2.0)
    assert (_blocks(jobs)[0].services < 1e3).all()


def test_a_list_without_jobs_is_one_empty_block():
    (block,) = _blocks(JobList(np.empty(0), np.empty(0), 5.0), None)
    assert (block.begins, block.ends, len(block.arrivals)) == (0.0, 5.0, 0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"service": None}, "give a service distribution"),
        ({"fano": 0.5}, "fano 0.5 is not 1 or above"),
        ({"fano": float("nan")}, "fano nan is not 1 or above"),
        ({"fano": 2.0, "spread": "even"}, "fano 2 has no effect"),
    ],
)
def test_what_contradicts_itself_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Arrivals(**{"trace": _curve([1], are_counts=False), "service": Exponential()} | options)


def test_a_fano_factor_of_recorded_counts_is_refused():
    with pytest.raises(ValueError, match="fano 2 has no effect"):
        Arrivals(_curve([1]), Exponential(), fano=2.0)
