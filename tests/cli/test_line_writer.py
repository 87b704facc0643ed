"""Lines go to a descriptor without waiting for its reader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import pytest

from autoscaler.cli import line_writer
from autoscaler.cli.line_writer import LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    reader, writer = os.pipe()
    with FileIO(reader) as ours, FileIO(writer, "w") as theirs:
        yield ours, theirs


def test_lines_arrive_in_order(pipe: tuple[FileIO, FileIO]) -> None:
    reader, end = pipe
    writer = LineWriter(end.fileno())

    for number in range(100):
        writer.write_line(f"line {number}")
    writer.close(5.0)

    assert reader.read(10_000).decode().splitlines() == [f"line {number}" for number in range(100)]


def test_a_name_that_is_no_text_is_escaped(pipe: tuple[FileIO, FileIO]) -> None:
    reader, end = pipe
    writer = LineWriter(end.fileno())

    writer.write_line("caf\udce9")
    writer.close(5.0)

    assert reader.read(100) == b"caf\\udce9\n"


def test_a_full_disk_costs_lines_only() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        writer = LineWriter(full.fileno())

        writer.write_line("lost")
        writer.write_line("lost too")
        writer.close(5.0)

    assert not writer._thread.is_alive()


def test_a_reader_that_stalls_or_leaves_delays_nobody(pipe: tuple[FileIO, FileIO], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_writer, "_MOST_WAITING", 5)
    reader, end = pipe
    writer = LineWriter(end.fileno())

    for _ in range(100):
        writer.write_line("x" * 100_000)
    writer.close(0.0)
    waiting = writer._waiting.qsize()
    reader.close()
    writer.close(5.0)

    assert waiting == 5
    assert not writer._thread.is_alive()
