"""Check that the request-level queue reproduces the closed forms of queueing theory."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.durations import Deterministic, Exponential, Hyperexponential, Lognormal
from autoscaler_simulations.score.confidence import Interval, interval_of_mean
from fidelity.measures import Steady, Wave
from fidelity.result import Result
from fidelity.stationary import System

_REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "queueing_reference.json"
_NAME = "queueing formulas"
_SEEDS = 10
_FAMILY = 0.95  # the chance that all intervals hold their true value at once
_WIDEST = 0.05  # half of an interval, against its mean: wider ones say too little
_REQUESTS = 1_600_000  # a seed
_PERIODS = 480
_PROCESSES = 2
# Times as many requests: slow or rare events take more until their interval is narrow, others less.
_EFFORT = {"mm100": 5.0, "mm10_web": 3.0, "sqrt_staffing": 1.75, "slo_staffing": 5.0, "md1": 0.5, "md5": 0.5, "mm3_10": 0.5, "mmcc_erlangB": 0.5}
_NOT_MEASURED = {
    "beta": "a number of the formula",
    "c_sqrt": "simulated as c_exact, which it equals",
    "c_exact": "simulated: P_wait with it, and with one less",
    "c_min": "simulated: P_Wq_gt with it, and with one less",
    "alpha_beta1": "a limit for infinitely many servers",
    "allen_cunneen": "an approximation of Wq, which is measured",
}


@dataclass(frozen=True, slots=True)
class Expected:
    """A quantity by its name in the reference, and its value; or a bound that it must lie above."""

    name: str
    value: float
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """A queue to run, and what is expected of it."""

    label: str
    plant: Steady | Wave
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the reference."""

    id: str
    model: str
    params: Mapping[str, float]
    expected: Mapping[str, float]


def check() -> Result:
    """Run every case at ten seeds; simultaneous intervals of all means must hold the reference, each within 5 % of it."""
    path = Path(os.environ.get("QUEUEING_REFERENCE", _REFERENCE))
    if not path.is_file():
        return Result(_NAME, holds=False, lines=(f"{path}: there is no such file; name the reference by QUEUEING_REFERENCE",))
    cases = read_cases(path)
    subjects = [subject for case in cases for subject in subjects_of(case)]
    with ProcessPoolExecutor(_PROCESSES) as pool:
        result = judge(subjects, _SEEDS, lambda tasks: pool.map(measure, *zip(*tasks, strict=True)))
    left_out = tuple(f"{case.id} {name}: not measured, {_NOT_MEASURED[name]}" for case in cases for name in case.expected if name in _NOT_MEASURED)
    return Result(_NAME, result.holds, result.lines + left_out)


def read_cases(path: Path) -> tuple[Case, ...]:
    """Read the cases of the reference."""
    cases = json.loads(path.read_text())["cases"]
    return tuple(Case(case["id"], case["model"], case["params"], case["expected"]) for case in cases)


def subjects_of(case: Case, requests: int = _REQUESTS) -> Iterator[Subject]:
    """Say what to run for a case, and what to expect: once, or for a staffing with as many servers and with one less."""
    special: dict[str, Callable[[Case, int], Iterator[Subject]]] = {
        "Halfin-Whitt": _square_root_staffing,
        "M/M/c P(Wq>t)<=eps": _objective_staffing,
        "M_t/M/inf sinusoid": _wave,
    }
    yield from special.get(case.model, _stationary)(case, int(requests * _EFFORT.get(case.id, 1.0)))


def judge(subjects: Iterable[Subject], seeds: int, run: Callable[[list[tuple[Subject, int]]], Iterable[tuple[float, ...]]]) -> Result:
    """Measure every subject at every seed; each quantity's share of the family's error is the same (Bonferroni 1936)."""
    subjects = list(subjects)
    measured = iter(run([(subject, seed) for subject in subjects for seed in range(1, seeds + 1)]))
    level = 1 - (1 - _FAMILY) / sum(len(subject.expected) for subject in subjects)
    verdicts = [verdict for subject in subjects for verdict in _verdicts(subject, np.array([next(measured) for _ in range(seeds)]), level)]
    head = f"mean of {seeds} seeds in its interval, {len(verdicts)} intervals that hold at once with {_FAMILY:.0%} (Student, Bonferroni)"
    return Result(_NAME, all(holds for holds, _ in verdicts), (head, *(line for _, line in verdicts)))


def measure(subject: Subject, seed: int) -> tuple[float, ...]:
    """Run a subject once, and measure all that is expected of it."""
    return subject.plant.measure(tuple(each.name for each in subject.expected), seed)


def _verdicts(subject: Subject, values: np.ndarray, level: float) -> Iterator[tuple[bool, str]]:
    for expected, column in zip(subject.expected, values.T, strict=True):
        interval = interval_of_mean(column, level)
        if interval is None:
            raise ValueError("an interval needs two seeds or more")
        yield _verdict(f"{subject.label} {expected.name}", expected, interval)


def _verdict(what: str, expected: Expected, interval: Interval) -> tuple[bool, str]:
    width = (interval.high - interval.low) / 2 / interval.mean
    is_right = interval.low > expected.value if expected.is_bound else interval.low <= expected.value <= interval.high
    holds = is_right and width <= _WIDEST
    relation = "above" if expected.is_bound else "for"
    said = f"{interval.mean:.5g} +- {width:.1%} {relation} {expected.value:.5g} ({interval.mean / expected.value - 1:+.2%})"
    return holds, f"{'holds' if holds else 'FAILS'}  {what}: {said}"


def _stationary(case: Case, requests: int) -> Iterator[Subject]:
    slots = int(case.params.get("c", 1))
    limit = {"M/M/c/K (loss)": int(case.params.get("K", 0)) - slots, "M/M/c/c": 0}.get(case.model)
    plant = Steady(System(case.params["lam"], _service(case.params), slots, limit), requests)
    yield Subject(case.id, plant, tuple(Expected(name, value) for name, value in case.expected.items() if name not in _NOT_MEASURED))


def _service(params: Mapping[str, float]) -> Distribution:
    if "D" in params:
        return Deterministic(params["D"])
    if "sigma" in params:
        return Lognormal(params["ES"], params["scv"])
    return Hyperexponential(params["ES"], params["scv"]) if "scv" in params else Exponential(1 / params["mu"])


def _square_root_staffing(case: Case, requests: int) -> Iterator[Subject]:
    slots, rate = int(case.expected["c_exact"]), case.params["a"]
    yield _staffed(case, slots, Steady(System(rate, Exponential(1.0), slots), requests), Expected("P_wait", case.expected["P_wait_at_exact"]))
    less = Steady(System(rate, Exponential(1.0), slots - 1), requests)
    yield _staffed(case, slots - 1, less, Expected("P_wait", case.params["alpha"], is_bound=True))


def _objective_staffing(case: Case, requests: int) -> Iterator[Subject]:
    slots, rate, service = int(case.expected["c_min"]), case.params["lam"], Exponential(1 / case.params["mu"])
    name = f"P_Wq_gt_{case.params['t']}"
    yield _staffed(case, slots, Steady(System(rate, service, slots), requests), Expected(name, case.expected["P_at_cmin"]))
    less = Steady(System(rate, service, slots - 1), requests)
    yield _staffed(case, slots - 1, less, Expected(name, case.expected["P_at_cmin_minus1"]), Expected(name, case.params["eps"], is_bound=True))


def _staffed(case: Case, slots: int, plant: Steady, *expected: Expected) -> Subject:
    return Subject(f"{case.id} with {slots}", plant, expected)


def _wave(case: Case, requests: int) -> Iterator[Subject]:
    params = case.params
    periods = max(1, _PERIODS * requests // _REQUESTS)
    plant = Wave(params["lam_bar"], params["amp"], params["period_s"], params["mean_service_s"], periods)
    yield Subject(case.id, plant, tuple(Expected(name, value) for name, value in case.expected.items()))
