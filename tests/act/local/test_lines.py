"""Every line gets its prefix, whatever pieces it arrives in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.act.local.lines import MARK, MAXIMUM_LINE_BYTES, LinePrefixer


@pytest.mark.parametrize(
    ("pieces", "printed"),
    [
        ([b"a\n"], b"> a\n"),
        ([b"a", b"b\nc\n"], b"> ab\n> c\n"),
        ([b"a\n\nb\n"], b"> a\n> \n> b\n"),
        ([b"\xff\xfe\n"], b"> \xff\xfe\n"),
        ([b"no end"], b""),
        ([b"a\r\n"], b"> a\r\n"),
    ],
)
def test_whole_lines_are_printed(pieces, printed):
    prefixer = LinePrefixer()
    assert b"".join(prefixer.feed(piece, b"> ") for piece in pieces) == printed


@given(st.lists(st.binary(max_size=50)))
def test_no_byte_is_lost_however_it_is_cut(pieces):
    prefixer = LinePrefixer()
    printed = b"".join(prefixer.feed(piece, b"") for piece in pieces) + prefixer.finish(b"")
    text = b"".join(pieces)
    assert printed == (text if text.endswith(b"\n") or not text else text + b"\n")


def test_a_stream_without_newline_ends_with_one():
    prefixer = LinePrefixer()
    prefixer.feed(b"tail", b"> ")
    assert prefixer.finish(b"> ") == b"> tail\n"
    assert prefixer.finish(b"> ") == b""


def test_a_prompt_is_flushed_with_a_mark_once():
    prefixer = LinePrefixer()
    prefixer.feed(b"Password: ", b"> ")
    assert prefixer.flush(b"> ") == b"> Password: " + MARK + b"\n"
    assert prefixer.flush(b"> ") == b""
    assert prefixer.feed(b"\nnext\n", b"> ") == b"> next\n"


def test_megabytes_without_newline_are_split_with_a_mark():
    prefixer = LinePrefixer()
    printed = b"".join(prefixer.feed(b"x" * 60_000, b"> ") for _ in range(50)) + prefixer.finish(b"> ")
    lines = printed.splitlines()
    assert all(line.startswith(b"> ") and len(line) <= MAXIMUM_LINE_BYTES + 10 for line in lines)
    assert all(line.endswith(MARK) for line in lines[:-1])
    assert printed.count(b"x") == 3_000_000


def test_a_long_line_that_ends_is_split_too():
    prefixer = LinePrefixer()
    prefixer.feed(b"x" * 60_000, b"")
    printed = prefixer.feed(b"x" * 10_000 + b"\nshort\n", b"")
    assert [len(line) for line in printed.splitlines()] == [MAXIMUM_LINE_BYTES + len(MARK), 70_000 - MAXIMUM_LINE_BYTES, 5]
