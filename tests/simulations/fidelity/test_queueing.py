"""The check that the request-level queue reproduces the closed forms; the whole of it takes minutes."""

import dataclasses
from itertools import starmap

import pytest

from fidelity.measures import Wave
from fidelity.queueing import check, judge, measure, read_cases, subjects_of

SEEDS = 4


@pytest.fixture(scope="module")
def cases(shared):
    return {case.id: case for case in read_cases(shared / "reference" / "queueing_reference.json")}


def verdicts(subjects, seeds=SEEDS):
    return [line for line in judge(subjects, seeds, lambda tasks: starmap(measure, tasks)).lines if line.startswith(("holds", "FAILS"))]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "quantity"), [("md1", "Lq"), ("mm3_10", "P_block"), ("mmcc_erlangB", "throughput"), ("mm3_10", "P0")])
def test_a_few_seeds_come_near_the_reference(cases, name, quantity):
    (subject,) = subjects_of(cases[name], requests=100_000)
    measured = [value for line in verdicts([subject]) if f"{name} {quantity}:" in line for value in line.split()[3:4]]

    assert [float(value) for value in measured] == pytest.approx([cases[name].expected[quantity]], rel=0.08)


@pytest.mark.shared
def test_every_quantity_of_the_reference_is_measured_or_left_out_for_a_reason(cases):
    subjects = [subject for case in cases.values() for subject in subjects_of(case)]

    assert len({subject.label for subject in subjects}) == len(subjects) == len(cases) + 2
    assert sum(len(subject.expected) for subject in subjects) == 70


@pytest.mark.shared
def test_a_wrong_reference_fails(cases):
    wrong = dataclasses.replace(cases["md1"], expected={"rho": 0.8, "L": 2.4 * 1.5})

    assert [line[:5] for line in verdicts(subjects_of(wrong, requests=400_000))] == ["holds", "FAILS"]


@pytest.mark.shared
def test_an_interval_that_is_too_wide_fails_though_it_holds_the_reference(cases):
    (line,) = verdicts(subjects_of(dataclasses.replace(cases["md1"], expected={"Wq": 2.0}), requests=10_000))

    assert line.startswith("FAILS")


def test_a_wave_of_arrivals_is_damped_and_late():
    highest, lag = Wave(offered=100.0, amplitude=40.0, period_seconds=3600.0, mean_seconds=300.0, periods=30).measure(("m_max", "lag_s"), 1)

    assert (highest, lag) == (pytest.approx(135.4, rel=0.02), pytest.approx(276.4, rel=0.1))


def test_a_missing_reference_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("QUEUEING_REFERENCE", str(tmp_path / "reference.json"))

    result = check()

    assert (result.holds, "name the reference by QUEUEING_REFERENCE" in result.lines[0]) == (False, True)
