from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from autoscaler import __version__
from autoscaler.events import Notice
from autoscaler.model import PolicyAnswer, Recommendation
from autoscaler.record import CutLine, RecordedDecision, RecordError, RecordWriter, Start, read_record

START = Notice(event="start", now=0.5, at=1.5, details={"configuration": {"interval": "5s"}, "state": {"worker": 1}})


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


def test_named_pipe_without_a_reader_is_refused_at_once(path):
    os.mkfifo(path)

    with pytest.raises(RecordError, match="No such device"):
        RecordWriter(str(path))


def test_full_device_is_said_once_and_ticks_go_on(tick):
    told: list[RecordError] = []
    writer = RecordWriter("/dev/full", told.append)

    for _ in range(3):
        writer.ticked(tick())
    writer.close()

    assert [str(error) for error in told] == [writer.trouble]
    assert writer.trouble == "the record cannot be written to /dev/full: No space left on device; ticks are not recorded until it can"


# A process of its own, since the size of files can be limited for a whole process only: EFBIG stands in for ENOSPC.
FULL = """
import resource, signal, sys
from autoscaler.events import Notice
from autoscaler.record import RecordWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, resource.RLIM_INFINITY))
writer = RecordWriter(sys.argv[1])
for number in range(4):
    writer.noticed(Notice(event="note", now=1.0, at=2.0, details={"number": number}))
    print(writer.trouble)
print(open(sys.argv[1]).read().count("\\n"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
writer.noticed(Notice(event="note", now=1.0, at=2.0, details={"number": 9}))
print(writer.trouble)
"""


def test_full_disk_leaves_whole_lines_and_is_tried_again(path):
    answer = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True, cwd=Path.cwd())

    said = answer.stdout.splitlines()
    assert said[:2] == ["None", "None"]
    assert said[2] == said[3]
    assert "File too large" in said[2]
    assert said[4:] == ["2", "None"]
    assert [entry.details["number"] for entry in entries(path)] == [0, 1, 9]


def test_closed_pipe_does_not_stop_the_ticks(path, tick):
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = RecordWriter(str(path))
    os.close(reader)

    writer.ticked(tick())

    assert os.strerror(errno.EPIPE) in writer.trouble
    writer.close()


@pytest.fixture
def stalled(path):
    """A pipe of one page whose reader does not read yet: its descriptor and the writer."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer = RecordWriter(str(path))
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    yield reader, writer
    writer.close()
    os.close(reader)


def test_reader_that_stalls_costs_lines_and_no_standstill(stalled, tick, decision):
    _, writer = stalled

    writer.ticked(tick(*[decision] * 20))

    assert "its reader does not keep up" in writer.trouble


def test_reader_that_comes_back_gets_whole_lines(stalled, tick, decision):
    reader, writer = stalled
    writer.ticked(tick(*[decision] * 20))
    read = b""

    for _ in range(20):
        read += os.read(reader, 65536)
        writer.ticked(tick(replace(decision, target=7)))
    read += os.read(reader, 65536)

    targets = [json.loads(line)["target"] for line in read.splitlines()]
    assert targets[-1] == 7
    assert writer.trouble is None


def test_tick_larger_than_the_pipe_passes_while_it_is_read(stalled, tick, decision):
    reader, writer = stalled
    whole = tick(*[decision] * 20)
    writer.ticked(whole)
    os.set_blocking(reader, True)
    draining = Thread(target=lambda: deque(iter(lambda: os.read(reader, 65536), b"")))
    draining.start()

    deadline = time.monotonic() + 20
    while writer.trouble and time.monotonic() < deadline:
        writer.ticked(whole)
    writer.close()
    draining.join()

    assert writer.trouble is None


def test_rotated_file_is_left_and_a_fresh_one_begun(writer, path, tick):
    writer.noticed(START)
    path.rename(path.with_suffix(".1"))

    writer.reopen()
    writer.ticked(tick(now=7.5, at=8.5))

    assert len(entries(path.with_suffix(".1"))) == 1
    start, decision = entries(path)
    assert start == Start(version=__version__, at=8.5, now=7.5, configuration={"interval": "5s"}, state=None)
    assert isinstance(decision, RecordedDecision)


def test_fresh_file_begins_with_the_reloaded_configuration(writer, path, tick):
    writer.noticed(START)
    writer.noticed(Notice(event="reload", now=2.5, at=3.5, details={"ok": True, "configuration": {"interval": "1s"}}))
    path.unlink()

    writer.reopen()
    writer.ticked(tick())

    assert entries(path)[0].configuration == {"interval": "1s"}


def test_reopened_file_that_was_not_rotated_goes_on(writer, path, tick):
    writer.noticed(START)
    writer.reopen()
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


STDOUT = """
import sys
from autoscaler.events import Notice
from autoscaler.record import RecordWriter
writer = RecordWriter("-")
print("ready", file=sys.stderr, flush=True)
sys.stdin.readline()
for number in range(3):
    writer.noticed(Notice(event="note", now=1.0, at=2.0, details={"number": number}))
writer.reopen()
writer.noticed(Notice(event="note", now=1.0, at=2.0, details={"number": 3}))
writer.close()
print(writer.trouble, file=sys.stderr)
"""


def test_record_goes_to_standard_output():
    answer = subprocess.run([sys.executable, "-c", STDOUT], input="\n", capture_output=True, text=True, check=True)

    assert [entry.details["number"] for entry in read_record(answer.stdout.splitlines())] == [0, 1, 2, 3]


def test_closed_standard_output_does_not_end_the_program():
    with subprocess.Popen([sys.executable, "-c", STDOUT], stdin=-1, stdout=-1, stderr=-1, text=True) as process:
        process.stderr.readline()
        process.stdout.close()
        process.stdin.write("\n")
        process.stdin.flush()
        said = process.stderr.read()

    assert process.returncode == 0
    assert said.startswith("the record cannot be written to standard output: Broken pipe")
