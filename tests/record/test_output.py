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

from autoscaler.record import RecordError, RecordWriter, read_record


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "record.jsonl"


def entries(path: Path) -> list[object]:
    return list(read_record(path.read_text(encoding="utf-8").splitlines()))


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
