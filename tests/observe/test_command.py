import os
import resource
import time
from pathlib import Path

import pytest

from autoscaler.model import Reading
from autoscaler.observe.command import CommandSource

_IGNORES_TERM = "trap '' TERM HUP INT; "


def _command(text: str) -> CommandSource:
    return CommandSource(command=text)


def _is_alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_output_is_the_reading(poll):
    assert _command("echo 42").read(poll(window_seconds=60.0)) == Reading("jobs", 42.0, 1000.0, 60.0)


def test_the_shell_runs_the_command(poll):
    assert _command("printf '1\\n2\\n3\\n' | wc -l").read(poll()).value == 3.0


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("true", "the command's output is empty"),
        ("echo many", "the command's output is not one number: 'many'"),
        ("echo 1; echo 2", "the command's output is not one number: '1\\n2'"),
        ("echo nan", "the value is nan"),
        ("exit 3", "the command ended with exit code 3: it wrote no error"),
        ("echo 5; echo first >&2; echo last >&2; exit 1", "the command ended with exit code 1: last"),
        ("kill -9 $$", "the command was killed by signal 9"),
        ("kill -35 $$", "the command was killed by signal 35"),
        ("yes", "the command wrote more than 64 KiB, not one number"),
    ],
)
def test_a_command_without_a_number_is_no_data(cause, command, said):
    assert cause(_command(command)) == said


def test_a_command_that_does_not_exist_is_named(cause):
    said = cause(_command("no-such-command-here"))
    assert said.startswith("the command does not exist: ")
    assert "no-such-command-here" in said


def test_many_errors_keep_the_last_line(cause):
    said = cause(_command("head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; echo >&2; echo the end >&2; exit 2"))
    assert said == "the command ended with exit code 2: the end"


@pytest.mark.parametrize(
    "command", ["sleep 60", f"{_IGNORES_TERM}while :; do sleep 1; done", "yes >&2", "exec >&- 2>&-; sleep 60", "cat /dev/zero >/dev/null"]
)
def test_a_command_that_does_not_end_is_killed_at_the_deadline(cause, command):
    began = time.monotonic()
    assert cause(_command(command), timeout_seconds=0.3) == "the command gave no answer within 0.3 s and was killed"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("rest", ["sleep 60", "while :; do echo x >&2; done", "exec sleep 60 <&- 2>&-"])
def test_a_child_that_holds_the_output_does_not_hold_the_poll(poll, rest):
    began = time.monotonic()
    assert _command(f"({_IGNORES_TERM}{rest}) & echo 7").read(poll(timeout_seconds=30.0)).value == 7.0
    assert time.monotonic() - began < 20


def test_nothing_a_command_started_is_left(poll, tmp_path, eventually):
    kept = tmp_path / "pid"
    _command(f"({_IGNORES_TERM}sleep 60) & echo $! > {kept}; echo 1").read(poll())
    assert eventually(lambda: not _is_alive(int(kept.read_text())))


def test_a_killed_command_leaves_nothing(cause, tmp_path, eventually):
    kept = tmp_path / "pid"
    cause(_command(f"({_IGNORES_TERM}sleep 60) & echo $! > {kept}; wait"), timeout_seconds=1.0)
    assert eventually(lambda: not _is_alive(int(kept.read_text())))


def test_a_command_has_nothing_to_read(poll):
    assert _command("cat | wc -c").read(poll()).value == 0.0


def test_a_command_has_a_session_of_its_own(poll):
    assert _command("cut -d' ' -f6 /proc/self/stat").read(poll()).value != os.getsid(0)


def test_polls_leave_no_descriptor_open(poll, cause):
    _command("echo 1").read(poll())
    before = _descriptors()
    for _ in range(5):
        _command("echo 1").read(poll())
        cause(_command("sleep 60"), timeout_seconds=0.05)
    assert _descriptors() == before


def test_a_machine_that_can_start_nothing_is_no_data(cause):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        said = cause(_command("echo 1"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert said == "no command can be started now: Too many open files"


@pytest.mark.parametrize("command", ["", "  ", "echo \0"])
def test_a_command_that_cannot_be_run_is_refused(command):
    with pytest.raises(ValueError, match="command is empty or holds a null byte"):
        _command(command)
