"""The command check."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.heroku_api import APP, TOKEN, heroku_stub


def test_a_good_file_is_counted(call: Callable[..., Result]) -> None:
    result = call("check")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "autoscaler.yaml: ok: 2 process types, 1 metric"


def test_warnings_are_printed_with_their_place(call: Callable[..., Result]) -> None:
    assert call("check").stdout.startswith("warning: autoscaler.yaml:11:")


def test_every_mistake_is_named_with_its_place(call: Callable[..., Result], folder: Path) -> None:
    text = (folder / "autoscaler.yaml").read_text()
    (folder / "autoscaler.yaml").write_text(text.replace("minimum: 2", "minimum: 5").replace("200ms\n", "0.2\n", 1))

    result = call("check")

    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.split(" ")[0] for line in result.stderr.splitlines()] == ["autoscaler.yaml:1:11:", "autoscaler.yaml:7:18:"]


def test_connect_asks_every_backend_and_metric(call: Callable[..., Result]) -> None:
    result = call("check", "--connect")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == ["backend default: ok: web 0, worker 0", "metric queue: ok: 45"]


def test_connect_fails_for_a_metric_that_does_not_answer(call: Callable[..., Result], folder: Path) -> None:
    (folder / "queue").unlink()

    result = call("check", "--connect")

    assert result.exit_code == 1
    assert "metric queue: failed: no file" in result.stdout
    assert "not everything in it answers" in result.stderr


@pytest.mark.parametrize("at", ["connect", "observe"])
def test_connect_fails_for_a_backend_that_does_not_answer(call: Callable[..., Result], broken_backend: Callable[[str], None], at: str) -> None:
    broken_backend(at)

    result = call("check", "--connect")

    assert result.exit_code == 1
    assert "the backend is away" in result.stdout
    assert "metric queue: ok: 45" in result.stdout


def test_without_connect_nothing_is_asked(call: Callable[..., Result], folder: Path) -> None:
    (folder / "queue").unlink()

    assert call("check").exit_code == 0


def test_what_an_operator_should_know_of_a_backend_is_told(call: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    with heroku_stub(types=("web", "worker")) as stub:
        stub.remaining = 500
        backend = f"{{heroku: {{app: {APP}, token: '${{TOKEN}}', url: '{stub.url}'}}}}"
        (folder / "autoscaler.yaml").write_text(f"backend: {backend}\nformation: {{web: {{maximum: 2}}, worker: {{maximum: 2}}}}\n")
        result = call("check", "--connect")
    assert (result.exit_code, result.output.count("API budget")) == (0, 1), result.output
    assert "note: web: API budget: about 500 of 4,500 calls left" in result.output


def test_a_backend_that_cannot_be_opened_is_named_and_leaves_the_others(call: Callable[..., Result], folder: Path) -> None:
    backends = "{dead: {heroku: {app: shop, token_file: no-token}}, good: {dry_run: {}}}"
    formation = "{web: {backend: dead, maximum: 2}, worker: {backend: good, maximum: 2}}"
    (folder / "autoscaler.yaml").write_text(f"backends: {backends}\nformation: {formation}\n")

    result = call("check", "--connect")

    assert result.exit_code == 1
    lines = [line for line in result.stdout.splitlines() if line.startswith("backend ")]
    assert lines[0].startswith("backend dead: failed: token_file: "), lines
    assert lines[1:] == ["backend good: ok: worker 0"]
