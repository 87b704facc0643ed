"""The command run, as a program: its start, its streams, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HANGING = """
  silent: {http_json: {url: "http://127.0.0.1:%d/", pointer: /}, every: 200ms, timeout: 1h}
  asleep: {command: {command: "echo $$ > asleep; exec sleep 3600"}, every: 200ms, timeout: 1h}
formation:"""
CHILDREN = """\
interval: 200ms
listen: null
backend: local
formation:
  web:
    command: "%s"
    minimum: 2
    maximum: 2
    stop_timeout: 1h
"""
STUBBORN = "trap '' TERM; echo up $$; while :; do sleep 0.1; done"


def children_in(output: str) -> list[int]:
    return [int(line.split()[-1]) for line in output.splitlines() if " up " in line]


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


# Start


def test_the_configuration_in_use_is_told(running: Callable[..., Any], folder: Path) -> None:
    assert f"configuration {folder / 'autoscaler.yaml'}: 2 process types, 1 metric" in running("-c", folder / "autoscaler.yaml").log


def test_a_wrong_configuration_exits_with_2(start: Callable[..., Any], edit: Callable[[str, str], None]) -> None:
    edit("maximum: 4", "maximum: 1")

    run = start("run")

    assert run.wait() == 2
    assert run.log.startswith("autoscaler.yaml:7:")


def test_a_port_in_use_leaves_nothing_running(start: Callable[..., Any], folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = CHILDREN % f"touch {folder}/started; sleep 1000"
        (folder / "autoscaler.yaml").write_text(text.replace("listen: null", f"listen: 127.0.0.1:{taken.getsockname()[1]}"))
        run = start("run", "--record", "record")
        code = run.wait()

    assert code == 1
    assert "is taken by another program" in run.log
    assert not (folder / "started").exists()


@pytest.mark.parametrize(("arguments", "said"), [(["--record", "none/record"], "none/record"), (["--record", "."], "the record cannot be written")])
def test_a_record_that_cannot_be_opened_is_told(start: Callable[..., Any], arguments: list[str], said: str) -> None:
    run = start("run", *arguments)

    assert run.wait() == 1
    assert said in run.log
    assert "Traceback" not in run.log


def test_a_backend_that_is_away_at_the_start_is_told(start: Callable[..., Any], broken_backend: Callable[[str], None]) -> None:
    broken_backend("connect")

    run = start("run")

    assert run.wait() == 1
    assert run.log.splitlines()[-1] == "the backend is away; start it"


def test_spoilt_pauses_keep_the_controller_from_starting(start: Callable[..., Any], call: Callable[..., Any], folder: Path) -> None:
    call("pause", "web")
    (spoilt,) = (folder / "run").iterdir()
    spoilt.write_text("spoilt")

    run = start("run")

    assert run.wait() == 1
    assert f"rm {spoilt}" in run.log


def test_a_runtime_directory_that_cannot_be_made_is_only_told(running: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/proc/none")

    assert "`autoscaler pause` will not see this controller" in running().log


# Once, and without acting


def test_once_acts_on_one_tick_and_leaves(start: Callable[..., Any], record: Callable[[], list[dict[str, Any]]]) -> None:
    run = start("run", "--once", "--record", "record", "--log-format", "console")

    assert run.wait() == 0
    assert [line["event"] for line in record()] == ["start", "decision", "decision"]
    assert "scale_out worker 0 -> 3: 45 waiting / 20 per process -> 3" in run.log


def test_once_fails_when_a_backend_does_not_answer(start: Callable[..., Any], broken_backend: Callable[[str], None]) -> None:
    broken_backend("observe")

    run = start("run", "--once")

    assert run.wait() == 1
    assert "web: not observed: the backend is away; start it" in run.log


def test_once_is_refused_for_children(start: Callable[..., Any], folder: Path) -> None:
    (folder / "autoscaler.yaml").write_text(CHILDREN % "sleep 1000")

    run = start("run", "--once")

    assert run.wait() == 2
    assert "end with the controller" in run.log


def test_a_dry_run_starts_no_process(
    running: Callable[..., Any], folder: Path, record: Callable[[], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    (folder / "autoscaler.yaml").write_text(CHILDREN % f"touch {folder}/started; sleep 1000")

    run = running("--dry-run", "--record", "record")
    eventually(lambda: len(record()) > 4)
    run.send(signal.SIGTERM)

    assert run.wait() == 0
    assert "dry run: nothing is changed" in run.log
    assert record()[-1]["observed"]["desired"] == 0
    assert not (folder / "started").exists()


# Streams


def test_the_record_has_standard_output_to_itself(running: Callable[..., Any], folder: Path, eventually: Callable[..., Any]) -> None:
    (folder / "autoscaler.yaml").write_text(CHILDREN % "echo up $$; sleep 1000")

    run = running("--record", "-")
    eventually(lambda: len(children_in(run.log)) == 2)
    run.send(signal.SIGTERM)

    assert run.wait() == 0
    assert {json.loads(line)["event"] for line in run.output.splitlines()} >= {"start", "decision"}


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2> /dev/full", "> /dev/full 2>&1"])
def test_closed_and_full_streams_stop_nothing(
    folder: Path, redirection: str, record: Callable[[], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    command = f"exec {sys.executable} -m autoscaler run --record record {redirection}"

    with subprocess.Popen(["sh", "-c", command], cwd=folder, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: (folder / "record").exists() and len(record()) > 8)
        process.terminate()
        code = process.wait(30)

    assert code == 0
    assert record()[-1]["target"] == 3


def test_a_pipe_that_closes_stops_nothing(running: Callable[..., Any], folder: Path, eventually: Callable[..., Any]) -> None:
    run = running("--record", "-", stdout=subprocess.PIPE)

    run.process.stdout.close()
    eventually(lambda: "Broken pipe" in run.log)
    (folder / "queue").write_text("80")
    eventually(lambda: "worker 3 -> 4:" in run.log)
    run.send(signal.SIGTERM)

    assert run.wait() == 0
    assert run.log.count("Broken pipe") == 1
    assert "Traceback" not in run.log


# End


def has_ended(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_every_source_hanging(
    running: Callable[..., Any], edit: Callable[[str, str], None], folder: Path, number: signal.Signals, eventually: Callable[..., Any]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        edit("\nformation:", HANGING % silent.getsockname()[1])
        run = running()
        asleep = eventually(lambda: (folder / "asleep").exists() and (folder / "asleep").read_text())
        with silent.accept()[0]:
            run.send(number)

            assert run.process.wait(5) == 0
    eventually(lambda: has_ended(asleep))
    assert run.log.splitlines()[-1].endswith(" stopped")


def test_a_shell_that_ignores_signals_changes_nothing(folder: Path, eventually: Callable[..., Any]) -> None:
    command = f"trap '' INT QUIT CHLD; exec {sys.executable} -m autoscaler run --log-format console 2> stderr"

    with subprocess.Popen(["sh", "-c", command], cwd=folder) as process:
        eventually(lambda: (folder / "stderr").exists() and "scale_out" in (folder / "stderr").read_text())
        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0


def test_children_are_drained_at_the_end(running: Callable[..., Any], folder: Path, eventually: Callable[..., Any]) -> None:
    (folder / "autoscaler.yaml").write_text(CHILDREN % "trap 'sleep 0.3; echo drained; exit' TERM; echo up $$; while :; do sleep 0.05; done")
    run = running()
    eventually(lambda: len(children_in(run.output)) == 2)

    run.send(signal.SIGTERM)

    assert run.wait() == 0
    assert run.output.count("drained") == 2
    assert not any(map(is_alive, children_in(run.output)))


def test_a_second_signal_ends_the_drain_at_once(running: Callable[..., Any], folder: Path, eventually: Callable[..., Any]) -> None:
    (folder / "autoscaler.yaml").write_text(CHILDREN % STUBBORN)
    run = running()
    children = eventually(lambda: len(found := children_in(run.output)) == 2 and found)

    run.send(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(0.5)
    assert "stopping: processes that drain have up to 3600 s; signal again to end them now" in run.log
    run.send(signal.SIGTERM)

    assert run.wait() == 0
    assert not any(map(is_alive, children))


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM])
def test_no_other_signal_leaves_children_behind(
    running: Callable[..., Any], folder: Path, number: signal.Signals, eventually: Callable[..., Any]
) -> None:
    (folder / "autoscaler.yaml").write_text(CHILDREN % "echo up $$; exec sleep 1000")
    run = running()
    children = eventually(lambda: len(found := children_in(run.output)) == 2 and found)
    run.send(number)

    assert run.wait() == 0
    assert not any(map(is_alive, children))


ON_A_TERMINAL = """\
import os, pty, sys
pid, terminal = pty.fork()
if not pid:
    os.execv(sys.executable, [sys.executable, "-m", "autoscaler", "run", "--record", "record"])
output = b""
while b"up " not in output:
    output += os.read(terminal, 4096)
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_terminal_that_hangs_up_ends_it(folder: Path) -> None:
    (folder / "autoscaler.yaml").write_text(CHILDREN % "echo up $$; exec sleep 1000")
    shown = subprocess.run([sys.executable, "-W", "ignore", "-c", ON_A_TERMINAL], stdout=subprocess.PIPE, text=True, timeout=60, check=True)

    assert shown.stdout == "0\n"
