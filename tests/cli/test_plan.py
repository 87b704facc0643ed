"""The command plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

LINES = ["web: 0 -> 2 scale_out: no policies: the minimum 2", "worker: 0 -> 3 scale_out: 45 waiting / 20 per process -> 3"]


def test_every_type_has_a_line_with_its_reason(call: Callable[..., Result]) -> None:
    result = call("plan")

    assert (result.exit_code, result.stdout.splitlines()) == (0, LINES)
    assert result.stderr.splitlines() == ["configuration: autoscaler.yaml"]


def test_json_is_the_decision_lines_of_the_record(call: Callable[..., Result]) -> None:
    lines = [json.loads(line) for line in call("plan", "--json").stdout.splitlines()]

    assert [(line["event"], line["process_type"], line["target"], line["action"]) for line in lines] == [
        ("decision", "web", 2, "scale_out"),
        ("decision", "worker", 3, "scale_out"),
    ]


def test_a_pause_holds_the_plan(call: Callable[..., Result]) -> None:
    call("pause", "worker", "--reason", "migration")

    worker = call("plan").stdout.splitlines()[1]

    assert worker.startswith("worker: 0 -> 0 hold: ")
    assert "migration" in worker


def test_a_metric_without_an_answer_is_named_in_the_reason(call: Callable[..., Result], folder: Path) -> None:
    (folder / "queue").write_text("no number")

    result = call("plan")

    assert result.exit_code == 0
    assert "queue is missing" in result.stdout


@pytest.mark.parametrize("at", ["connect", "observe"])
def test_a_backend_that_does_not_answer_fails_the_plan(call: Callable[..., Result], broken_backend: Callable[[str], None], at: str) -> None:
    broken_backend(at)

    result = call("plan")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "the backend is away" in result.stderr


def test_metrics_of_each_process_are_read_where_it_runs(
    call: Callable[..., Result], edit: Callable[[str, str], None], broken_backend: Callable[[str], None], page: Any
) -> None:
    page.body = b"jobs 95\n"
    broken_backend("observe")
    edit("at: observe", f"port: {page.port}")
    edit("file: {path: queue}", "prometheus_text: {metric: jobs, each_process: true, process_type: worker}")

    worker = call("plan").stdout.splitlines()[1]

    assert worker.startswith("worker: 1 -> 5 scale_out: 95 waiting")


def test_a_terminal_gets_a_table(on_terminal: Callable[..., str]) -> None:
    shown = on_terminal("plan").splitlines()

    assert shown[0].split() == ["process", "type", "now", "target", "action", "why"]
    assert shown[2].split()[:5] == ["worker", "0", "3", "scale_out", "45"]
