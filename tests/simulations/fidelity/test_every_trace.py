"""The check that every scenario runs on every trace."""

import pytest

from autoscaler_simulations.scenario.named import scenario_names
from fidelity import every_trace

_NUMBER = len(scenario_names())


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check with one short trace, of 30 ticks a run."""
    monkeypatch.setattr(every_trace, "_TRACES", tmp_path)
    monkeypatch.setattr(every_trace, "_TICKS", 30)

    def with_trace(rows):
        (tmp_path / "short.csv").write_text(f"timestamp_s,requests\n{rows}")
        return every_trace.check()

    return with_trace


def test_runs_are_counted_and_timed(check):
    result = check("0,30\n60,90\n120,60\n")
    assert result.holds
    assert result.lines[0].startswith(f"{_NUMBER} runs of at most 30 ticks")
    assert [line.split()[0] for line in result.lines[1:]] == list(scenario_names())


def test_trace_that_cannot_be_read_does_not_hold(check):
    result = check("0,30\n60,-1\n")
    assert not result.holds
    assert sum("is below 0" in line for line in result.lines) == _NUMBER


def test_run_that_takes_too_long_does_not_hold(check, monkeypatch):
    monkeypatch.setattr(every_trace, "_LIMIT_SECONDS", 0.0)
    result = check("0,30\n60,90\n120,60\n")
    assert not result.holds
    assert result.lines[-1].startswith("web_by_day on short: took more than 0 s, and had reached ")


@pytest.mark.usefixtures("check")
def test_nothing_to_run_does_not_hold():
    assert not every_trace.check().holds
