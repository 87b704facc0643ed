"""Every configuration in the table of policies works as it stands there, and explains itself."""

import re
from pathlib import Path

import pytest

from autoscaler.config.loading import load_text
from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.model import Counts, Observation, Reading

_README = Path(__file__).resolve().parents[2] / "policies" / "README.md"
_ROWS = re.findall(r"^\|[^|]*\| `(\w+)` \| `(\{.*?\})` \|", _README.read_text(), re.MULTILINE)
_NAMES = [f"web.{number}" for number in range(1, 5)]
_NUMBERS = {
    "requests_per_second": 130.0,
    "busy_share": 0.9,
    "memory_of_each": dict.fromkeys(_NAMES, 900.0),
    "memory_limits": dict.fromkeys(_NAMES, 1000.0),
    "oldest_job_seconds": 45.0,
    "jobs_waiting": 120.0,
    "jobs_running": 3.0,
    "jobs_done_per_second": 1.5,
    "p95_seconds": 0.7,
    "cpu_percent": 82.0,
    "requests_in_flight": 420.0,
    "processes_busy": 2.0,
}


def decision(policy, configuration):
    """Decide once for a type of four processes that has this policy."""
    used = {name: number for name, number in _NUMBERS.items() if re.search(rf"\b{name}\b", configuration)}
    metrics = "".join(f"  {name}: {{file: {{path: {name}}}}}\n" for name in used) or "  {}\n"
    web = f"{{minimum: 1, maximum: 90, policies: [{{{policy}: {configuration}}}]}}"
    settings = load_text(f"backend: dry_run\nmetrics:\n{metrics}formation:\n  web: {web}\n", "autoscaler.yaml", {}).types[0]
    values = {name: (number, None) if isinstance(number, float) else (sum(number.values()), number) for name, number in used.items()}
    readings = {name: Reading(name, value, 100.0, by_process=each) for name, (value, each) in values.items()}
    return decide(settings, Observation(100.0, 1e9, settings.process_type, Counts(4, 4), readings), Memory())[0]


def test_the_table_names_every_policy_that_comes_with_it():
    assert {policy for policy, _ in _ROWS} == {"backlog", "concurrency", "expression", "fixed", "queueing", "spare", "step", "target"}


@pytest.mark.parametrize(("policy", "configuration"), _ROWS)
def test_configuration_of_the_table_recommends_and_says_why_in_one_line(policy, configuration):
    (given,) = decision(policy, configuration).answers

    assert given.policy == policy
    assert str(given.answer.processes) in given.answer.reason
    assert re.fullmatch(r"[^\n]*\d[^\n]*", given.answer.reason)
    print(f"{policy}: {given.answer.reason}")  # noqa: T201 - shown with -rP, to be read by a person
