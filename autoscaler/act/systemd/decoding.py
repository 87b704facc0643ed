"""Read what a bus sends: bounded, and with one error for everything that is wrong with it."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cache
from typing import Any

from jeepney.low_level import Endianness, Header, HeaderFields, MessageType, calc_msg_size, parse_signature

from autoscaler.model import AutoscalerError

_UNIT_FOLDER = "/org/freedesktop/systemd1/unit/"
_FIXED_HEADER_BYTES = 16
_TEXT_SIZE_BYTES = 4
_MOST_BYTES = 8 << 20  # 25,000 units
_JEEPNEY_RAISES = (AssertionError, IndexError, KeyError, TypeError, ValueError, RecursionError, struct.error)
# An empty structure takes no room, so that jeepney would read an array of them for ever; a signature is preceded by its length.
_MAYBE_EMPTY_STRUCTURE = re.compile(rb"[a-z(){}]*\(\)[a-z(){}]*\0")


class GarbageError(AutoscalerError):
    """What came is no message of D-Bus, or one beyond all bounds."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message: its header, and the bytes for its body."""

    raw: bytes
    kind: MessageType
    reply_to: int  # serial of the call that it answers; 0: none
    body_bytes: int
    order: Endianness
    sender: str
    path: str
    member: str
    error: str  # name of the error that it brings
    signature: str

    def body(self, signature: str) -> tuple[Any, ...] | None:  # whatever types the signature names
        """Return the values, or None when they are of other types than the signature's; raises GarbageError."""
        if self.signature != signature:
            return None
        if not signature:
            return ()
        try:
            body: tuple[Any, ...] = _type_of(signature).parse_data(self.raw, len(self.raw) - self.body_bytes, self.order, fds=())[0]
        except _JEEPNEY_RAISES as error:
            raise GarbageError("a message cannot be read") from error
        return body

    def first_text(self) -> str:
        """Return the text that the body begins with, without reading the rest; empty when it begins with none."""
        start = len(self.raw) - self.body_bytes
        if not self.signature.startswith("s") or self.body_bytes < _TEXT_SIZE_BYTES:
            return ""
        (size,) = struct.unpack_from(f"{self.order.struct_code()}I", self.raw, start)
        return self.raw[start + _TEXT_SIZE_BYTES : start + _TEXT_SIZE_BYTES + size].decode(errors="replace")

    def sentence(self) -> str:
        """Return what an error says, or its name."""
        body = self.body("s")
        return str(body[0]) if body else self.error


class Frames:
    """Cuts what comes into messages."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Received]:
        """Return the messages that are complete now; raises GarbageError."""
        self._buffer += data
        messages = []
        start = 0
        while size := self._size_at(start):
            messages.append(_read_header(bytes(self._buffer[start : start + size])))
            start += size
        del self._buffer[:start]
        return messages

    def _size_at(self, start: int) -> int:
        """Return the size of the message that begins there, 0 when it is not complete."""
        head = bytes(self._buffer[start : start + _FIXED_HEADER_BYTES])
        if len(head) < _FIXED_HEADER_BYTES:
            return 0
        try:
            size = int(calc_msg_size(head))
        except KeyError as error:
            raise GarbageError("what came is no message of D-Bus") from error
        if size > _MOST_BYTES:
            raise GarbageError(f"a message of {size} bytes is announced")
        return size if len(self._buffer) >= start + size else 0


def unit_of_path(path: str) -> str:
    """Return the name of the unit at an object path of systemd, empty when there is none: ..._2eservice is ....service."""
    if not path.startswith(_UNIT_FOLDER):
        return ""
    label = path.removeprefix(_UNIT_FOLDER).encode()
    return re.sub(rb"_([0-9a-f]{2})", lambda match: bytes([int(match[1], 16)]), label).decode(errors="replace")


def path_of_unit(unit: str) -> str:
    """Return the object path of a unit."""
    escaped = "".join(_escape(byte, is_first=not place) for place, byte in enumerate(unit.encode()))
    return _UNIT_FOLDER + (escaped or "_")


def _escape(byte: int, *, is_first: bool) -> str:
    letter = chr(byte)
    is_plain = letter.isascii() and (letter.isalpha() or (letter.isdigit() and not is_first))
    return letter if is_plain else f"_{byte:02x}"


@cache
def _type_of(signature: str) -> Any:  # one of jeepney's types, which have no common class
    return parse_signature(list(f"({signature})"))


def _read_header(raw: bytes) -> Received:
    _refuse_empty_structures(raw)
    try:
        header, _ = Header.from_buffer(raw)
    except _JEEPNEY_RAISES as error:
        raise GarbageError("the header of a message cannot be read") from error
    fields = header.fields
    text = (fields.get(each, "") for each in (HeaderFields.sender, HeaderFields.path, HeaderFields.member, HeaderFields.error_name))
    signature = fields.get(HeaderFields.signature, "")
    values = (raw, header.message_type, fields.get(HeaderFields.reply_serial, 0), header.body_length, header.endianness, *text, signature)
    if not (isinstance(values[2], int) and all(isinstance(each, str) for each in values[5:])):
        raise GarbageError("the header of a message holds values of wrong types")
    return Received(*values)


def _refuse_empty_structures(raw: bytes) -> None:
    """Look through the header and the body alike."""
    if b"()" not in raw:
        return
    for match in _MAYBE_EMPTY_STRUCTURE.finditer(raw):
        end = match.end() - 1
        for start in range(max(1, match.start()), match.start() + match[0].index(b"()") + 1):
            if raw[start - 1] == end - start:
                raise GarbageError("a message holds an array of nothing")
