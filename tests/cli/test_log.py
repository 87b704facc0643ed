"""What the log tells: changes, refusals and faults, each once."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from autoscaler.cli.line_writer import LineWriter
from autoscaler.cli.log import Log, LogHandler
from autoscaler.cli.log_format import open_logger
from autoscaler.decide.settings import Pause
from autoscaler.events import BoardEntry, Notice, Tick
from autoscaler.model import (
    Action,
    Counts,
    Decision,
    Missing,
    Observation,
    PolicyAnswer,
    ProcessType,
    Reading,
    Recommendation,
    TypeFormation,
)

WEB = ProcessType(name="web", minimum=1, maximum=9)
PRESENT = BoardEntry(Reading("queue", 7.0, 0.0), None)
MISSING = BoardEntry(None, "no answer in 2 s", 1)
QUIET = TypeFormation(Counts(2, 2))


def decision(action: Action = "none", reason: str = "enough", target: int = 2, answer: Missing | None = None) -> Decision:
    observation = Observation(now=0.0, at=0.0, process_type=WEB, counts=Counts(2, 2))
    return Decision(observation, (PolicyAnswer("backlog", answer or Recommendation(2, "enough")),), (), target, action, reason)


def tick(*decisions: Decision, **fields: Any) -> Tick:  # Any: whatever a tick holds
    return Tick(**{"now": 0.0, "at": 0.0, "decisions": decisions, "formations": {}, "board": {}, **fields})


@dataclass
class Written:
    """A log and what it has written."""

    log: Log
    writer: LineWriter
    path: Path

    def lines(self) -> list[str]:
        self.writer.close(5.0)
        return self.path.read_text().splitlines()

    def texts(self) -> list[str]:
        return [line.split(" ", 1)[1] for line in self.lines()]


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Callable[..., Written]]:
    descriptor = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)

    def open_one(log_format: Any = "console", environment: dict[str, str] | None = None) -> Written:
        writer = LineWriter(descriptor)
        return Written(Log(open_logger(writer, log_format, descriptor, environment or {})), writer, tmp_path / "log")

    yield open_one
    os.close(descriptor)


@pytest.fixture
def written(open_log: Callable[..., Written]) -> Written:
    return open_log()


def test_a_quiet_tick_says_nothing(written: Written) -> None:
    written.log.ticked(tick(decision(), board={"queue": PRESENT}, formations={"web": QUIET}))

    assert written.lines() == []


def test_every_change_is_told_with_its_reason(written: Written) -> None:
    written.log.ticked(tick(decision("scale_out", "95 waiting / 20 each", 5)))
    written.log.ticked(tick(decision("scale_in", "little to do", 1)))

    assert written.texts() == ["scale_out web 2 -> 5: 95 waiting / 20 each", "scale_in web 2 -> 1: little to do"]


def test_a_change_that_is_wanted_on_every_tick_is_told_once(written: Written) -> None:
    for given in (decision("scale_out", "many", 3), decision("scale_out", "many", 3), decision(), decision("scale_out", "many", 3)):
        written.log.ticked(tick(given))

    assert written.texts() == ["scale_out web 2 -> 3: many"] * 2


def test_a_refusal_is_told_when_its_words_change(written: Written) -> None:
    for reason in ("wait 3 s", "wait 2 s", "wait 2.5 s", "paused"):
        written.log.ticked(tick(decision("hold", reason)))

    assert written.texts() == ["hold web at 2: wait 3 s", "hold web at 2: paused"]


def test_a_refusal_is_told_again_after_a_change(written: Written) -> None:
    for given in (decision("hold", "wait"), decision("scale_out", "many", 3), decision("hold", "wait")):
        written.log.ticked(tick(given))

    assert written.texts()[2] == "hold web at 2: wait"


def test_a_metric_that_goes_and_comes_back_is_told_once_each(written: Written) -> None:
    for entry in (PRESENT, MISSING, replace(MISSING, cause="no answer in 3 s"), PRESENT, PRESENT):
        written.log.ticked(tick(board={"queue": entry}))

    assert written.texts() == ["warning: metric queue is missing: no answer in 2 s", "metric queue is back"]


def test_a_metric_that_goes_stale_is_told(written: Written) -> None:
    stale = BoardEntry(None, "the newest sample is 20 s old", 0)

    for entry in (PRESENT, stale):
        written.log.ticked(tick(board={"queue": entry}))

    assert written.texts() == ["warning: metric queue is missing: the newest sample is 20 s old"]


def test_a_metric_that_was_never_asked_is_no_fault(written: Written) -> None:
    written.log.ticked(tick(board={"queue": BoardEntry(None, "never read", 0)}))

    assert written.lines() == []


def test_a_policy_that_fails_on_its_own_is_told(written: Written) -> None:
    for answer in (Missing("policy backlog", "ZeroDivisionError: division by zero"), None):
        written.log.ticked(tick(decision(answer=answer), board={"queue": PRESENT}))

    assert written.texts() == ["error: web: policy backlog failed: ZeroDivisionError: division by zero", "web: policy backlog answers again"]


def test_a_policy_that_cannot_tell_although_its_metric_answers_has_not_failed(written: Written) -> None:
    for answer in (Missing("queue", "no process was ready"), None):
        written.log.ticked(tick(decision(answer=answer), board={"queue": PRESENT}))

    assert written.texts() == ["warning: web: policy backlog cannot tell: no process was ready", "web: policy backlog answers again"]


def test_a_policy_without_its_metric_is_told_as_the_metric(written: Written) -> None:
    written.log.ticked(tick(decision(answer=Missing("queue", "no answer in 2 s")), board={"queue": MISSING}))

    assert written.texts() == ["warning: metric queue is missing: no answer in 2 s"]


def test_a_backend_that_fails_and_recovers_is_told(written: Written) -> None:
    for errors in ({"web": "not scaled: no memory"}, {"web": "not scaled: no memory"}, {}):
        written.log.ticked(tick(errors=errors, formations={"web": QUIET}))

    assert written.texts() == ["error: web: not scaled: no memory", "web: the backend answers again"]


def test_happenings_are_told_as_they_are(written: Written) -> None:
    written.log.ticked(tick(happenings=("web.2 exited with 1 after 3 s", "web.2 starts again")))

    assert written.texts() == ["web.2 exited with 1 after 3 s", "web.2 starts again"]


def test_a_crash_loop_is_told_at_its_start_and_end(written: Written) -> None:
    for is_crash_looping in (True, True, False):
        written.log.ticked(tick(formations={"web": replace(QUIET, is_crash_looping=is_crash_looping)}))

    assert written.texts() == ["error: web: processes keep failing soon after their start", "web: no longer fails at its start"]


def test_a_note_is_told_once_while_it_stands(written: Written) -> None:
    for notes in (("web.1 made a daemon",), ("web.1 made a daemon", "slow"), ("slow",), ()):
        written.log.ticked(tick(formations={"web": replace(QUIET, notes=notes)}))

    assert written.texts() == ["warning: web: web.1 made a daemon", "warning: web: slow"]


def test_a_pause_is_told_at_its_start_and_end(written: Written) -> None:
    for pauses in (
        {"web": Pause(scale_out=True, scale_in=True, reason="migration")},
        {"web": Pause(scale_in=True)},
        {"web": Pause(scale_in=True)},
        {},
    ):
        written.log.ticked(tick(pauses=pauses))

    assert written.texts() == ["web: paused: migration", "web: scale-in paused", "web is no longer paused"]


def test_missed_ticks_are_told_at_every_doubling(written: Written) -> None:
    for missed in range(9):
        written.log.ticked(tick(missed=missed))

    assert [text.split()[1] for text in written.texts()] == ["1", "2", "4", "8"]


@pytest.mark.parametrize(
    ("event", "details", "texts"),
    [
        ("reload", {"ok": True, "configuration": {}}, ["reloaded the configuration"]),
        ("reload", {"ok": True, "removed": ["b", "c"]}, ["reloaded the configuration; no longer in it, and ended: b, c"]),
        ("state", {"state": {}}, []),
        (
            "reload",
            {"ok": False, "error": "a:1:1: x\na:2:1: y"},
            [f"error: not reloaded, the old configuration stays: a:{n}:1: {x}" for n, x in ((1, "x"), (2, "y"))],
        ),
        ("clock_step", {"seconds": 3600.0}, ["clock_step seconds=3600.0"]),
        ("start", {"version": "1"}, []),
        ("pause", {"process_type": "web"}, []),
        ("resume", {"process_type": "web"}, []),
    ],
)
def test_notices_are_told_unless_told_elsewhere(written: Written, event: str, details: dict[str, Any], texts: list[str]) -> None:
    written.log.noticed(Notice(event=event, now=0.0, at=0.0, details=details))

    assert written.texts() == texts


def test_json_lines_carry_the_parts_of_a_change(open_log: Callable[..., Written]) -> None:
    written = open_log("json")

    written.log.ticked(tick(decision("scale_out", "busy", 5)))

    line = json.loads(written.lines()[0])
    del line["timestamp"]
    assert line == {"event": "scale_out", "level": "info", "process_type": "web", "from": 2, "to": 5, "reason": "busy"}


@pytest.mark.parametrize("log_format", ["logfmt", "auto"])
def test_logfmt_is_what_files_and_pipes_get(open_log: Callable[..., Written], log_format: str) -> None:
    written = open_log(log_format)

    written.log.ticked(tick(decision("hold", 'said "no"\nto all')))

    assert written.lines()[0].endswith(r'level=info event=hold process_type=web processes=2 reason="said \"no\"\nto all"')


def test_a_stranger_cannot_fake_a_line(written: Written) -> None:
    written.log.ticked(tick(board={"queue": replace(MISSING, cause="\x1b[2Jok\n12:00:00 all is well")}))

    assert written.texts() == ["warning: metric queue is missing:  [2Jok 12:00:00 all is well"]


def test_the_journal_gets_priorities_instead_of_times(open_log: Callable[..., Written], tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    found = (tmp_path / "log").stat()
    written = open_log("auto", {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})

    written.log.ticked(tick(decision("scale_out", "busy", 5), board={"queue": MISSING}))

    assert written.lines() == ["<4>metric queue is missing: no answer in 2 s", "<6>scale_out web 2 -> 5: busy"]


def test_a_journal_that_is_not_ours_is_passed_over(open_log: Callable[..., Written]) -> None:
    written = open_log("console", {"JOURNAL_STREAM": "8:12345"})

    written.log.ticked(tick(decision("scale_out", "busy", 5)))

    assert not written.lines()[0].startswith("<")


@pytest.mark.parametrize(("environment", "has_colour"), [({}, 1), ({"NO_COLOR": "1"}, 0)])
def test_a_terminal_gets_colour_unless_refused(environment: dict[str, str], has_colour: int) -> None:
    ours, terminals = os.openpty()
    writer = LineWriter(terminals)
    log = Log(open_logger(writer, "auto", terminals, environment))

    log.ticked(tick(board={"queue": MISSING}))
    writer.close(5.0)

    line = os.read(ours, 1000).decode()
    assert line.count("\x1b[33m") == has_colour
    assert "metric queue is missing" in line
    os.close(ours)
    os.close(terminals)


def test_warnings_of_libraries_reach_the_log(written: Written) -> None:
    logger = logging.getLogger("autoscaler.test_log")
    logger.addHandler(LogHandler(written.log))
    logger.propagate = False

    logger.info("quiet")
    logger.warning("retry %d", 1)
    logger.error("gave up")
    logger.handlers.clear()

    assert written.texts() == ["warning: autoscaler.test_log: retry 1", "error: autoscaler.test_log: gave up"]
