"""A simple command gets exec in front, a compound one cannot."""

from __future__ import annotations

import subprocess

import pytest

from autoscaler.act.local.server_command import add_exec


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("server --port 1", "exec server --port 1"),
        ("  exec server ", "  exec server "),
        ("exec server; true", "exec server; true"),
        ("A=1 B='x y' C=\"a b\" server", "A=1 B='x y' C=\"a b\" exec server"),
        ("server 'a;b' \"c & $D\" e\\;f", "exec server 'a;b' \"c & $D\" e\\;f"),
        ("server >log 2>&1", "exec server >log 2>&1"),
        ("$SERVER --here", "exec $SERVER --here"),
    ],
)
def test_a_simple_command_becomes_its_shell(command, becomes):
    assert add_exec(command) == becomes


@pytest.mark.parametrize(
    "command", ["a; b", "cd x && a", "a | b", "a &", "(a)", "a\nb", "a `b`", "while a", "if a", "{ a", "! a", "cd /", "", "A=1", 'A="$(b)" c; d']
)
def test_the_shell_of_a_compound_command_stays(command):
    assert add_exec(command) is None


def test_assignments_before_exec_reach_the_server():
    command = add_exec("A='x y' printenv A")
    assert subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True).stdout == b"x y\n"
