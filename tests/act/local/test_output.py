"""What the children print appears with time and name before each line."""

from __future__ import annotations

import os
import re
from contextlib import suppress

from autoscaler.act.local import Local
from tests.local_formation import count_descriptors, process_type


def test_lines_carry_time_and_name(stage):
    stage.connect(process_type("web", command="echo hello; echo oops >&2; exec sleep 60"), process_type("worker", maximum=100))
    stage.scale(web=1)
    stage.wait_printed("oops")
    first, second = stage.printed().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d web\.1      \| hello", first)
    assert second.endswith("| oops")


def test_the_last_line_needs_no_newline(stage):
    stage.run("printf tail; exit 3")
    stage.wait_printed("| tail\n")


def test_a_prompt_is_shown_before_its_line_ends(stage):
    stage.run("printf 'Password: '; exec sleep 60")
    stage.wait_printed("| Password:  [...]\n")


def test_what_is_printed_while_draining_is_shown(stage):
    stage.run("trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.02; done")
    stage.wait_printed("up")
    stage.close()
    assert "web.1  | bye\n" in stage.printed()


def test_bytes_that_are_no_text_pass(stage):
    stage.run(r"printf '\377\n'; exec sleep 60")
    stage.eventually(lambda: b"| \xff\n" in stage.output.read_bytes())


def test_every_line_of_many_chatty_processes_arrives_whole(stage):
    stage.run("seq 1 20000; exec sleep 60", 4)
    stage.eventually(lambda: stage.output.read_bytes().count(b"\n") == 80_000)
    for number in range(1, 5):
        lines = re.findall(rf"^\S+ web\.{number}  \| (\d+)$", stage.printed(), re.MULTILINE)
        assert lines == [str(n) for n in range(1, 20001)]


def test_a_terminal_gets_a_colour_a_type(stage, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = os.openpty()
    monkeypatch.setattr(Local, "output", theirs)
    stage.run("echo hello; exec sleep 60")
    printed = b""
    while b"hello" not in printed:
        printed += os.read(ours, 1000)
    assert re.search(rb"^\x1b\[36m\d\d:\d\d:\d\d web\.1  \| \x1b\[0mhello", printed)
    stage.close()
    os.close(ours)
    os.close(theirs)


def test_a_trickle_without_newline_is_shown(stage):
    stage.run("while :; do printf .; sleep 0.02; done")
    stage.wait_printed(". [...]\n")


def test_crashes_while_nobody_reads_keep_few_pipes(stage, monkeypatch):
    monkeypatch.setattr("autoscaler.act.local.starter.restart_delay", lambda _failures, _chance: 0.0)
    reading, writing = os.pipe()
    monkeypatch.setattr(Local, "output", writing)
    flood = process_type("flood", "exec head -c 3000000 /dev/zero")
    stage.connect(flood, process_type(command="echo hi; exit 1"))
    stage.scale(flood=1)
    stage.eventually(stage.backend._writer.is_full)
    stage.scale(web=3)
    stage.wait(lambda seen: seen.starts > 20)
    before = count_descriptors()
    stage.wait(lambda seen: seen.starts > 100)
    assert count_descriptors() <= before + 20
    os.set_blocking(reading, False)
    printed = b""

    def is_marked() -> bool:
        nonlocal printed
        with suppress(BlockingIOError):
            printed = printed[-100:] + os.read(reading, 1 << 20)
        return b"| [...] (later output was dropped while nobody read it)\n" in printed

    stage.eventually(is_marked, pause=0.0)
    stage.close(hurry=True)
    os.close(reading)
    os.close(writing)
