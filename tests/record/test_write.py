from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from autoscaler import __version__
from autoscaler.events import Notice
from autoscaler.model import PolicyAnswer, Recommendation
from autoscaler.record import CutLine, RecordedDecision, RecordError, RecordWriter, Start, read_record

START = Notice(event="start", now=0.5, at=1.5, details={"configuration": {"interval": "5s"}, "state": {"worker": 1}})
STATE = Notice(event="state", now=1.5, at=2.5, details={"configuration": {"interval": "1s"}, "state": {"memories": {}}})


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "record.jsonl"


@pytest.fixture
def writer(path):
    writer = RecordWriter(str(path))
    yield writer
    writer.close()


def entries(path: Path) -> list[object]:
    return list(read_record(path.read_text(encoding="utf-8").splitlines()))


def test_record_begins_with_version_configuration_and_state(writer, path):
    writer.noticed(START)

    line = path.read_text(encoding="utf-8")
    assert line == (
        f'{{"event": "start", "version": "{__version__}", "at": 1.5, "now": 0.5, "configuration": {{"interval": "5s"}}, "state": {{"worker": 1}}}}\n'
    )


def test_each_decision_of_a_tick_has_its_line(writer, path, decision, tick):
    writer.noticed(START)
    writer.ticked(tick(decision, replace(decision, target=3)))

    assert [entry.target for entry in entries(path)[1:]] == [4, 3]


def test_notice_is_written_with_its_details(writer, path):
    notice = Notice(event="pause", now=2.5, at=3.5, details={"process_type": "worker", "reason": "deploy"})

    writer.noticed(notice)

    assert entries(path) == [notice]


def test_lines_are_in_the_file_at_once(writer, path, tick):
    writer.ticked(tick())

    assert len(entries(path)) == 1
    assert writer.trouble is None


def test_file_is_appended_to(path, tick):
    for _ in range(2):
        writer = RecordWriter(str(path))
        writer.ticked(tick())
        writer.close()

    assert len(entries(path)) == 2


def test_line_cut_off_by_a_crash_is_ended_first(path, tick):
    path.write_text('{"event": "deci', encoding="utf-8")

    writer = RecordWriter(str(path))
    writer.noticed(START)
    writer.ticked(tick())
    writer.close()

    assert [type(entry) for entry in entries(path)] == [CutLine, Start, RecordedDecision]


def test_text_that_is_no_unicode_is_read_back(writer, path):
    notice = Notice(event="note", now=1.5, at=2.5, details={"path": os.fsdecode(b"/srv/caf\xe9")})

    writer.noticed(notice)

    assert entries(path) == [notice]


def test_decision_that_is_not_json_costs_only_its_line(path, decision, tick):
    told: list[RecordError] = []
    writer = RecordWriter(str(path), told.append)
    broken = replace(decision, answers=(PolicyAnswer("own", Recommendation(1, "because", float("nan"))),))

    for _ in range(3):
        writer.ticked(tick(broken, decision))
    writer.close()

    assert len(entries(path)) == 3
    assert len(told) == 1
    assert "worker cannot be written as JSON" in str(told[0])


def test_start_that_is_not_json_is_said(path):
    writer = RecordWriter(str(path))
    writer.noticed(replace(START, details={"configuration": float("nan")}))

    assert "the start line cannot be written as JSON" in writer.trouble
    writer.close()


def test_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(RecordError, match=r"nowhere/record\.jsonl: No such file or directory"):
        RecordWriter(str(tmp_path / "nowhere" / "record.jsonl"))


def test_rotated_file_is_left_and_a_fresh_one_begun(writer, path, tick):
    writer.noticed(START)
    path.rename(path.with_suffix(".1"))

    writer.reopen()
    writer.noticed(replace(STATE, now=7.5, at=8.5))
    writer.ticked(tick(now=7.5, at=8.5))

    assert len(entries(path.with_suffix(".1"))) == 1
    start, decision = entries(path)
    assert start == Start(version=__version__, at=8.5, now=7.5, configuration={"interval": "1s"}, state={"memories": {}})
    assert isinstance(decision, RecordedDecision)


def test_reopened_file_that_was_not_rotated_goes_on(writer, path, tick):
    writer.noticed(START)
    writer.reopen()
    writer.noticed(STATE)
    writer.ticked(tick())

    assert [type(entry) for entry in entries(path)] == [Start, RecordedDecision]


def test_failed_reopening_is_said_and_tried_again(writer, path, tick):
    writer.noticed(START)
    path.rename(path.with_suffix(".1"))
    path.mkdir()
    writer.reopen()

    writer.ticked(tick())
    trouble = writer.trouble
    path.rmdir()
    writer.ticked(tick())

    assert "Is a directory" in trouble
    assert writer.trouble is None
    assert [type(entry) for entry in entries(path)] == [Start, RecordedDecision]
    assert [type(entry) for entry in entries(path.with_suffix(".1"))] == [Start, RecordedDecision]
