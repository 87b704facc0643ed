"""A bar shows how far a long piece of work has come, where somebody watches."""

import io
import sys

import pytest

from autoscaler_simulations.cli.progress import follow


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_every_step_is_passed_on(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream())

    assert list(follow(((at, f"step {at}") for at in range(5)), 5, "work")) == [f"step {at}" for at in range(5)]


def test_a_bar_is_drawn_on_a_terminal_only(monkeypatch):
    said = {}
    for stream in (Terminal, io.StringIO):
        monkeypatch.setattr(sys, "stderr", stream())
        list(follow(((at, None) for at in range(1, 101)), 100, "a week of web"))
        said[stream] = sys.stderr.getvalue()

    assert "a week of web" in said[Terminal]
    assert "100%" in said[Terminal]
    assert said[io.StringIO] == ""
