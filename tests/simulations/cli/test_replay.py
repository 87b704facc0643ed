"""The command that decides again on what a record observed."""

import json
import sys

import click
import pytest
from click.testing import CliRunner

from autoscaler import __version__
from autoscaler.cli.failures import told_plainly
from autoscaler.clock import VirtualClock
from autoscaler.config.loading import load_text
from autoscaler.events import Notice, Tick
from autoscaler.loop.decisions import Decisions
from autoscaler.model import Counts, Observation, Reading
from autoscaler.record import RecordWriter
from autoscaler_simulations.cli import record_lines
from autoscaler_simulations.cli.replay import replay

CONFIGURATION = """\
interval: 5s
metrics: {jobs: {file: {path: jobs}}}
formation: {worker: {command: work, maximum: 20, policies: [{target: {metric: jobs, per_process: 20}}]}}
"""
LOADS = [40, 40, 90, 90, 90, 40, 40]


class _Group(click.Group):
    """Tells failures as the program does."""

    def invoke(self, ctx):
        with told_plainly():
            return super().invoke(ctx)


@pytest.fixture
def run():
    def invoke(*arguments, text=None):
        return CliRunner().invoke(_Group(commands={"replay": replay}), ["replay", *map(str, arguments)], input=text)

    return invoke


@pytest.fixture
def record(tmp_path):
    """Write a record of seven ticks, in which the formation always has the size it should."""
    settings = load_text(CONFIGURATION, str(tmp_path / "autoscaler.yaml"), {})
    clock, decisions, writer = VirtualClock(1000.0, 1763800000.0), Decisions(), RecordWriter(str(tmp_path / "record"))
    writer.noticed(Notice(event="start", now=1000.0, at=1763800000.0, details={"configuration": settings.document, "state": None}))
    size = 2
    for load in LOADS:
        clock.advance(5.0)
        now, at = clock.now(), clock.wall()
        observation = Observation(now, at, settings.types[0].process_type, Counts(size, size), {"jobs": Reading("jobs", float(load), now)})
        decided = decisions.decide_observed(settings, {"worker": observation}, {})
        writer.ticked(Tick(now=now, at=at, decisions=decided.decisions, formations={}, board={}))
        size = decided.decisions[0].target
    writer.close()
    return tmp_path / "record"


@pytest.fixture
def other(tmp_path):
    (tmp_path / "other.yaml").write_text(CONFIGURATION.replace("per_process: 20", "per_process: 10"))
    return tmp_path / "other.yaml"


def test_own_configuration_decides_as_recorded(run, record):
    result = run(record)

    assert (result.exit_code, result.output) == (0, "7 decisions, all as recorded\n")


def test_record_comes_from_standard_input(run, record):
    result = run("-", text=record.read_text())

    assert (result.exit_code, result.stdout) == (0, "7 decisions, all as recorded\n")


def test_decision_that_is_not_as_recorded_is_named(run, record):
    record.write_text(record.read_text().replace('"target": 5', '"target": 6', 1).replace(f'"version": "{__version__}"', '"version": "0.0.1"'))
    result = run(record)

    assert result.exit_code == 1
    assert "2025-11-22 08:26:55  worker  2 -> 5  (recorded 2 -> 6: target 6; now: target 5)" in result.stdout
    assert result.stderr == f"1 of 7 decisions are not as recorded; the record is of version 0.0.1, and this is {__version__}\n"


def test_decision_that_differs_by_its_reason_alone_shows_its_action(run, record):
    record.write_text(record.read_text().replace('"action": "none", "reason": "', '"action": "none", "reason": "because ', 1))
    result = run(record)

    assert (result.exit_code, "worker  2 -> 2 (none)  (recorded 2 -> 2 (none): because " in result.stdout) == (1, True)


def test_decision_that_cannot_be_made_again_is_named(run, record):
    record.write_text(record.read_text().replace('"process_type": "worker"', '"process_type": "mailer"', 1))
    result = run(record)

    assert "mailer  not decided  (recorded 2 -> 2: " in result.stdout
    assert "now: the recorded configuration has no such process type" in result.stdout


def test_other_configuration_names_runs_of_equal_differences_once(run, record, other):
    result = run(record, "-c", other)
    spans = [line for line in result.stdout.splitlines() if line.startswith("2025")]

    assert result.exit_code == 0
    assert spans[0].startswith("2025-11-22 08:26:45 .. 08:26:50  worker  2 -> 4, 2 ticks  (recorded 2 -> 2: policy target: ")
    assert len(spans) < 7
    assert "what the formation would have become is for simulate to tell" in result.stdout
    assert "worker: 5 of 7 decisions differ; the targets are" in result.stdout


def test_every_difference_is_a_line_of_json(run, record, other):
    result = run(record, "-c", other, "--json")
    *differences, summary = map(json.loads, result.stdout.splitlines())

    assert len(differences) == summary["differences"] == 5
    assert differences[0]["recorded"]["target"] == 2
    assert differences[0]["replayed"]["target"] == 4
    assert differences[0]["replayed"]["cause"].startswith("policy target: ")
    assert summary["process_types"]["worker"]["recorded_process_seconds"] == 2 * 10 + 5 * 20


def test_types_that_another_configuration_lacks_are_said(run, record, other):
    other.write_text(CONFIGURATION.replace("worker", "mailer"))
    result = run(record, "-c", other)

    assert "worker: not in the configuration, 7 decisions left out" in result.stdout
    assert "note: the record never observed mailer" in result.stderr


def test_cut_last_line_is_said(run, record):
    record.write_text(record.read_text()[:-50])
    result = run(record)

    assert result.stdout == "6 decisions, all as recorded\n"
    assert "note: line 8, column" in result.stderr


def test_line_that_is_no_utf_8_is_no_part_of_a_record(run, record):
    record.write_bytes(b"\xff\xfe\x00\n" + record.read_bytes())
    result = run(record)

    assert result.exit_code == 0
    assert "note: line 1, column 1: not whole JSON" in result.stderr


@pytest.mark.parametrize("text", ["", "\n", '{"event": "unheard_of", "at": 1.0, "now": 1.0}\n', "web: serve\n"])
def test_file_without_decisions_is_said_to_be_no_record(run, tmp_path, text):
    (tmp_path / "record").write_text(text)
    result = run(tmp_path / "record")

    assert result.exit_code == 1
    assert "holds no decision; name a file that `autoscaler run --record FILE` wrote" in result.output


def test_file_of_something_else_is_named_with_its_line(run, tmp_path):
    (tmp_path / "record").write_text("one\ntwo\n")
    result = run(tmp_path / "record")

    assert (result.exit_code, result.output.startswith("line 1, column 1: not whole JSON")) == (1, True)


@pytest.mark.parametrize(("name", "cause"), [("missing", "No such file"), (".", "directory"), ("a\0b", "null byte")])
def test_record_that_cannot_be_read_is_named(run, tmp_path, name, cause):
    result = run(f"{tmp_path}/{name}")

    assert result.exit_code == 1
    assert cause in result.output


def test_configuration_with_a_mistake_is_wrong_usage(run, record, other):
    other.write_text(CONFIGURATION.replace("maximum: 20", "maximum: many"))
    result = run(record, "-c", other)

    assert (result.exit_code, "other.yaml:3:46: formation.worker.maximum" in result.output) == (2, True)


def test_record_of_a_plug_in_that_is_not_installed_is_wrong_configuration(run, record):
    record.write_text(record.read_text().replace('{"target": {', '{"vanished": {'))
    result = run(record)

    assert (result.exit_code, "vanished" in result.output) == (2, True)


def test_a_bar_moves_where_somebody_watches(record, monkeypatch):
    monkeypatch.setattr(record_lines, "_LONG", 0)
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True, raising=False)
    with record_lines.record_lines(str(record)) as lines:
        assert list(lines) == record.read_text().splitlines(keepends=True)
