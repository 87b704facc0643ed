import os
from threading import Event

import pytest

from autoscaler.demo.outlet import Outlet


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as read_end, os.fdopen(writer, "wb", buffering=0) as write_end:
        yield read_end, write_end


def test_what_is_written_arrives_in_order(pipe):
    read_end, write_end = pipe
    outlet = Outlet(write_end.fileno(), "utf-8", lost=Event().set)
    outlet.write("web █\n")
    outlet.write("worker\n")
    outlet.finish(within_seconds=10)
    assert read_end.read(100).decode() == "web █\nworker\n"


def test_a_character_outside_the_encoding_is_replaced(pipe):
    read_end, write_end = pipe
    outlet = Outlet(write_end.fileno(), "ascii", lost=Event().set)
    outlet.write("web █")
    outlet.finish(within_seconds=10)
    assert read_end.read(100) == b"web ?"


def test_a_reader_that_goes_away_is_told_once(pipe):
    read_end, write_end = pipe
    lost = Event()
    outlet = Outlet(write_end.fileno(), "utf-8", lost=lost.set)
    read_end.close()
    outlet.write("nobody reads this")
    assert lost.wait(10)
    outlet.write("nor this")
    outlet.finish(within_seconds=10)


def test_a_reader_that_stalls_holds_nobody_up(pipe):
    read_end, write_end = pipe
    lost = Event()
    outlet = Outlet(write_end.fileno(), "utf-8", lost=lost.set)
    for _ in range(20_000):
        assert outlet.write("x" * 100) == 100
    outlet.finish(within_seconds=0.01)
    read_end.close()  # so that the thread ends
    assert lost.wait(10)


def test_it_is_a_file_of_its_descriptor(pipe):
    _, write_end = pipe
    outlet = Outlet(write_end.fileno(), "utf-8", lost=Event().set)
    assert (outlet.encoding, outlet.isatty(), outlet.fileno(), outlet.writable()) == ("utf-8", False, write_end.fileno(), True)
    outlet.finish(within_seconds=10)
