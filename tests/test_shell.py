"""Run commands with a deadline, and end them early."""

import time
from threading import Thread

import pytest

from autoscaler.shell import CommandError, Finished, LateCommandError, LongOutputError, Shell


def _shell(seconds=10.0):
    return Shell(timeout_seconds=seconds, largest_output=2048)


def test_a_command_leaves_its_output_its_errors_and_its_exit_code():
    assert _shell().run("echo out; echo err >&2; exit 3") == Finished(3, "out\n", "err\n")


@pytest.mark.parametrize(
    ("finished", "said"),
    [
        (Finished(0, "", "a warning"), None),
        (Finished(2, "first\nlast\n", ""), "the command ended with exit code 2: last"),
        (Finished(2, "output\n", "first\nlast\n\n"), "the command ended with exit code 2: last"),
        (Finished(2, "", " \n"), "the command ended with exit code 2: it wrote no error"),
        (Finished(127, "", "sh: oops: not found"), "the command does not exist: sh: oops: not found"),
        (Finished(-15, "", ""), "the command was killed by signal 15"),
    ],
)
def test_a_failure_is_told_with_the_last_words(finished, said):
    assert finished.failure == said


def test_too_late_and_too_much_are_told_apart():
    with pytest.raises(LateCommandError, match=r"no answer within 0\.1 s"):
        _shell(0.1).run("sleep 60")
    with pytest.raises(LongOutputError, match="more than 2 KiB"):
        _shell().run("yes")


def test_commands_under_way_can_be_ended(eventually):
    shell, other, ended = _shell(60.0), _shell(60.0), []
    thread = Thread(target=lambda: ended.append(shell.run("sleep 60")))
    thread.start()
    eventually(lambda: shell._groups)
    other.kill()
    began = time.monotonic()
    eventually(lambda: shell.kill() or ended)
    thread.join()
    assert ended == [Finished(-9, "", "")]
    assert time.monotonic() - began < 20
    assert shell._groups == set()
    with pytest.raises(CommandError, match="no command is run any more"):
        shell.run("true")


def test_what_cannot_be_started_is_an_error():
    with pytest.raises(CommandError, match="no command can be started now: Argument list too long"):
        _shell().run("true " + "x" * 3_000_000)
