"""Messages are cut, bounded and read; everything wrong with them is one error."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney.low_level import MessageType
from jeepney.wrappers import DBusAddress, new_signal

from autoscaler.act.systemd.decoding import Frames, GarbageError, path_of_unit, unit_of_path

_EMITTER = DBusAddress("/org/freedesktop/systemd1", interface="org.freedesktop.systemd1.Manager")


def _signal(signature, *body):
    return new_signal(_EMITTER, "JobRemoved", signature, body).serialise(serial=7)


@given(st.text(st.characters(codec="ascii", exclude_characters="\0/"), min_size=1, max_size=40))
def test_a_unit_is_found_again_by_its_path(name):
    assert unit_of_path(path_of_unit(name)) == name


def test_paths_are_escaped_as_systemd_does():
    assert path_of_unit("1app-web@2.service") == "/org/freedesktop/systemd1/unit/_31app_2dweb_402_2eservice"


def test_other_paths_name_no_unit():
    assert unit_of_path("/org/freedesktop/systemd1/job/1") == ""


@given(st.integers(min_value=1, max_value=50))
def test_messages_are_found_however_they_are_cut(step):
    data = _signal("us", 1, "first") + _signal("us", 2, "second")
    frames = Frames()

    found = [message for start in range(0, len(data), step) for message in frames.feed(data[start : start + step])]

    assert [message.body("us") for message in found] == [(1, "first"), (2, "second")]
    assert (found[0].kind, found[0].member, found[0].path) == (MessageType.signal, "JobRemoved", "/org/freedesktop/systemd1")


def test_a_body_of_other_types_is_not_read():
    (message,) = Frames().feed(_signal("us", 1, "x"))

    assert message.body("uoss") is None


@given(st.binary(min_size=16, max_size=200))
def test_garbage_is_one_error(data):
    try:
        for message in Frames().feed(data):
            message.body(message.signature)
    except GarbageError:
        pass


@given(st.data())
def test_a_message_with_wrong_bytes_is_read_or_refused(data):
    raw = bytearray(_signal("sa{sv}as", "i", {"ActiveState": ("s", "active"), "Job": ("(uo)", (1, "/a"))}, ["x"]))
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
        raw[place] = data.draw(st.integers(0, 255))

    try:
        for message in Frames().feed(bytes(raw)):
            message.body("sa{sv}as")
    except GarbageError:
        pass


def test_a_message_beyond_all_bounds_is_refused_at_its_beginning():
    with pytest.raises(GarbageError, match="a message of 1000000016 bytes is announced"):
        Frames().feed(b"l\4\0\1" + struct.pack("<III", 1_000_000_000, 1, 0))


@pytest.mark.timeout(5)
def test_an_array_of_nothing_is_refused():
    raw = _signal("v", ("a(u)", [(1,)]))

    with pytest.raises(GarbageError, match="an array of nothing"):
        Frames().feed(raw.replace(b"\x04a(u)\0", b"\x03a()\0\0"))


def test_a_description_with_brackets_is_no_array_of_nothing():
    (message,) = Frames().feed(_signal("ss", "runs main()", "a()"))

    assert message.body("ss") == ("runs main()", "a()")
