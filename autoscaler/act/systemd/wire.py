"""Speak D-Bus over one channel: log in, call, hand out answers and signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from jeepney.low_level import Message, MessageType
from jeepney.wrappers import DBusAddress, new_method_call

from autoscaler.act.event_loop import EventLoop, Timer
from autoscaler.act.systemd.channel import Channel
from autoscaler.act.systemd.decoding import Frames, GarbageError, Received
from autoscaler.act.systemd.reach import Reach
from autoscaler.act.systemd.values import NO_ANSWER

# Without a user's number, as it is another one on another host: the bus asks the kernel who we are.
_LOG_IN = b"\0AUTH EXTERNAL\r\nDATA\r\n"
_BEGIN = b"BEGIN\r\n"
_LOG_IN_SECONDS = 20.0  # ssh's own limit for connecting is 10 s, and it may have keys to try
_MOST_LOG_IN_BYTES = 4096
_CALL_SECONDS = 25.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one call: values of the types that were expected, or the name of an error and its sentence."""

    values: tuple[Any, ...] = ()  # of the types in the call's signature
    error: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One method call."""

    target: DBusAddress
    method: str
    signature: str = ""
    arguments: tuple[Any, ...] = ()  # of the types in the signature
    answers: str = ""  # the signature of the reply

    def message(self) -> Message:
        """Return it as jeepney's message."""
        return new_method_call(self.target, self.method, self.signature or None, self.arguments)


Then = Callable[[Reply], None]


class Owner(Protocol):
    """Whoever uses a wire; called from the loop, never from within a call to the wire, never after it was closed."""

    def logged_in(self) -> None:
        """Begin to call."""

    def signalled(self, signal: Received) -> None:
        """Take in a signal; may raise GarbageError."""

    def settled(self) -> None:
        """Take in that all which came together has been handed out."""

    def broken(self, cause: str) -> None:
        """Take in that the wire is of no use any more, and why."""

    def free_memory(self, free_bytes: int) -> None:
        """Take in how much memory the host has free."""


@dataclass(slots=True)
class _Pending:
    call: Call
    then: Then
    deadline: Timer


class Wire:
    """One connection to one bus."""

    def __init__(self, loop: EventLoop, reach: Reach, owner: Owner) -> None:
        """Begin to connect; raises UnreachableError when that fails at once."""
        self._loop = loop
        self._place = reach.place
        self._owner = owner
        self._frames = Frames()
        self._greeting: bytes | None = b""  # what came before the log-in was through
        self._unsent: list[bytes] = []
        self._pending: dict[int, _Pending] = {}
        self._serial = 0
        self._is_closed = False
        self._channel = Channel(loop, reach, self)
        self._channel.send(_LOG_IN)
        self._log_in_deadline = loop.at(loop.now() + _LOG_IN_SECONDS, lambda: self.fail(f"the bus of {self._place} does not answer"))

    def call(self, call: Call, then: Then, seconds: float = _CALL_SECONDS) -> None:
        """Send a call with all others of this round; ``then`` gets its reply, or NO_ANSWER after the seconds or when the wire breaks."""
        if self._is_closed:
            return  # only what follows from an answer to a broken call comes here, and nobody waits for it
        self._serial += 1
        serial = self._serial
        deadline = self._loop.at(self._loop.now() + seconds, lambda: self._give_up(serial, f"no answer came within {seconds:g} s"))
        self._pending[serial] = _Pending(call, then, deadline)
        self._send(call.message().serialise(serial))

    def close(self) -> None:
        """Let go of everything; nothing is called afterwards."""
        self._is_closed = True
        self._channel.close()
        self._log_in_deadline.cancel()
        for pending in self._pending.values():
            pending.deadline.cancel()

    def fail(self, cause: str) -> None:
        """Close, tell the owner why, and answer every call that is under way."""
        if self._is_closed:
            return
        self.close()
        self._owner.broken(cause)
        broken_off, self._pending = self._pending, {}
        for pending in broken_off.values():
            pending.then(Reply(error=NO_ANSWER, sentence=cause))

    def ended(self, cause: str) -> None:
        """Take in that nothing comes any more."""
        self.fail(cause)

    def free_memory(self, free_bytes: int) -> None:
        """Pass on how much memory the host has free."""
        self._owner.free_memory(free_bytes)

    def received(self, data: bytes) -> None:
        """Take the next bytes from the channel."""
        try:
            self._take(data if self._greeting is None else self._log_in(self._greeting + data))
        except GarbageError as error:
            self.fail(f"{self._place} sends what is no D-Bus: {error}")

    def _log_in(self, greeting: bytes) -> bytes:
        """Follow the log-in; returns what came after it."""
        *lines, rest = greeting.split(b"\r\n", 2)
        self._greeting = greeting
        if len(greeting) > _MOST_LOG_IN_BYTES or not (lines or b"DATA".startswith(rest) or b"REJECTED".startswith(rest)):
            raise GarbageError(f"it begins with {greeting[:60]!r}")
        if lines and lines[0] != b"DATA":
            self.fail(f"the bus of {self._place} refuses this user: {lines[0][:200].decode(errors='replace')}")
        elif len(lines) > 1:
            self._finish_log_in(lines[1])
            return rest
        return b""

    def _finish_log_in(self, line: bytes) -> None:
        if not line.startswith(b"OK "):
            self.fail(f"the bus of {self._place} refuses this user: {line[:200].decode(errors='replace')}")
            return
        self._greeting = None
        self._log_in_deadline.cancel()
        self._send(_BEGIN)
        self._owner.logged_in()

    def _take(self, data: bytes) -> None:
        for message in self._frames.feed(data) if data else ():
            if self._is_closed:
                return
            if message.kind is MessageType.signal:
                self._owner.signalled(message)
            elif pending := self._pending.get(message.reply_to):
                reply = _reply(pending.call, message)
                pending.deadline.cancel()
                del self._pending[message.reply_to]
                pending.then(reply)
        if not self._is_closed and self._greeting is None:
            self._owner.settled()

    def _give_up(self, serial: int, sentence: str) -> None:
        pending = self._pending.pop(serial, None)
        if pending is not None:
            pending.then(Reply(error=NO_ANSWER, sentence=sentence))

    def _send(self, data: bytes) -> None:
        if not self._unsent:
            self._loop.at(self._loop.now(), self._flush)
        self._unsent.append(data)

    def _flush(self) -> None:
        data = b"".join(self._unsent)
        self._unsent.clear()
        self._channel.send(data)


def _reply(call: Call, message: Received) -> Reply:
    if message.kind is MessageType.error:
        return Reply(error=message.error or "unnamed", sentence=message.sentence())
    values = message.body(call.answers)
    if values is None:
        raise GarbageError(f"{call.method} was answered with values of the types {message.signature!r}")
    return Reply(values)
