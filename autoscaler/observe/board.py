"""Hold the newest reading of every metric, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from types import TracebackType

from autoscaler.clock import Clock
from autoscaler.events import BoardEntry
from autoscaler.model import Address, Reading
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import HasLiveness, Poll, SourceError


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What is known of one metric; replaced as a whole, so that it is read without a lock."""

    reading: Reading | None = None
    failure: str | None = None  # of the last finished poll
    is_dead: bool = False  # the last finished poll found its exporter dead
    errors: int = 0
    asked_at: float | None = None  # when the poll in flight began
    was_answered: bool = False  # some poll has ended, well or badly
    awaits_guard: bool = False  # an error was counted here that the loop's guard is about to report


class _Slot:
    """One metric and its state."""

    __slots__ = ("settings", "state")

    def __init__(self, settings: MetricSettings) -> None:
        self.settings = settings
        self.state = _State()

    def is_overdue(self, now: float) -> bool:
        """Whether the poll in flight has passed its deadline."""
        asked_at = self.state.asked_at
        return asked_at is not None and now - asked_at > self.settings.timeout


class Board:
    """The newest reading of every metric; safe to use from many threads, and its lock is never held during a read."""

    def __init__(self, metrics: Iterable[MetricSettings], clock: Clock, hide: Callable[[str], str] = str) -> None:
        """Begin with nothing read; ``hide`` takes out of every cause what nobody may see."""
        self._clock = clock
        self.hide = hide
        self._lock = Lock()  # held while a state is replaced
        self._slots = {settings.name: _Slot(settings) for settings in metrics}

    def poll(self, name: str, processes: Mapping[str, Address]) -> None:
        """Ask the source of one metric once, and keep its reading or the cause why there is none.

        ``processes`` says where each process of the source's type serves its metrics. While another poll of the metric is in
        flight, nothing is asked; once that one is overdue, each such poll counts an error. An answer that arrives after its
        deadline is discarded. Any exception but ``SourceError`` is kept as the cause and then raised; tell ``failed`` about it.
        Raises ``KeyError`` for an unknown name.
        """
        slot = self._slots[name]
        now = self._begin(slot)
        if now is None:
            return
        with _Flight(self, slot):
            reading = _ask(slot.settings, now, self._clock, processes)
            self._check(reading, slot, now)
            self._keep(slot, reading)

    def failed(self, name: str, cause: str) -> None:
        """Count a poll that failed beside its source, for ``cause``; after an exception of ``poll`` it is counted once."""
        slot = self._slots.get(name)
        if slot is None:
            return  # the metric left with a reload while it was polled
        with self._lock:
            counted = slot.state.errors + (0 if slot.state.awaits_guard else 1)
            slot.state = replace(slot.state, failure=self.hide(cause), errors=counted, was_answered=True, awaits_guard=False)

    def entries(self, now: float) -> Mapping[str, BoardEntry]:
        """Return, for each metric, its reading if it is young enough, else why there is none.

        A failed poll hides a reading only once it is older than the metric's ``max_age``; a dead exporter hides it at once.
        """
        return {name: _entry(slot, now) for name, slot in self._slots.items()}

    def replace(self, metrics: Iterable[MetricSettings]) -> None:
        """Watch these metrics from now on; one with equal settings keeps its reading, its errors and its source."""
        kept = self._slots
        slots = {}
        for settings in metrics:
            slot = kept.get(settings.name)
            slots[settings.name] = slot if slot is not None and slot.settings == settings else _Slot(settings)
        self._slots = slots

    def asked(self, name: str) -> bool:
        """Whether a poll of this metric has ended, well or badly, or has passed its deadline."""
        slot = self._slots[name]
        return slot.state.was_answered or slot.is_overdue(self._clock.now())

    def all_asked(self) -> bool:
        """Whether every metric was asked, and none awaits its first answer."""
        return all(self.asked(name) for name in tuple(self._slots))

    def _begin(self, slot: _Slot) -> float | None:
        """Mark the slot as being asked and return the time; ``None`` when it is already."""
        now = self._clock.now()
        with self._lock:
            if slot.state.asked_at is not None:
                if slot.is_overdue(now):
                    slot.state = replace(slot.state, failure="still waiting for the last poll", errors=slot.state.errors + 1)
                return None
            slot.state = _asking(slot.state, now)
            return now

    def _check(self, reading: Reading, slot: _Slot, began: float) -> None:
        """Raise ``SourceError`` for a reading that is late, or that no source should make."""
        now = self._clock.now()
        timeout = slot.settings.timeout
        if now - began > timeout:
            raise SourceError(f"{_no_answer(timeout)}; it came after {_seconds(now - began)}")
        if not math.isfinite(reading.value):
            raise SourceError(f"the value is {reading.value}")
        for name, value in (reading.by_process or {}).items():
            if not math.isfinite(value):
                raise SourceError(f"the value of {name} is {value}")
        if reading.at > now:
            raise SourceError("the reading says that it is from the future; a source takes its time from the poll")

    def _keep(self, slot: _Slot, reading: Reading) -> None:
        """End a poll with its reading, which is put on the board unless the one there has a newer sample."""
        with self._lock:
            state = slot.state
            is_newer = state.reading is None or reading.at >= state.reading.at
            slot.state = _State(reading=reading if is_newer else state.reading, errors=state.errors, was_answered=True)

    def end(self, slot: _Slot, error: BaseException) -> None:
        """End a poll without a reading."""
        said = self.hide(str(error) if isinstance(error, SourceError) else f"{type(error).__name__}: {error}")
        is_foreseen, is_dead = isinstance(error, SourceError), isinstance(error, _DeadError)
        with self._lock:
            errors = slot.state.errors + 1
            known = replace(slot.state, asked_at=None, was_answered=True, errors=errors)
            slot.state = replace(known, failure=said, is_dead=is_dead, awaits_guard=not is_foreseen)


def _asking(state: _State, now: float) -> _State:
    return _State(  # written out: dataclasses.replace takes twice as long, and this runs for every poll
        reading=state.reading, failure=state.failure, is_dead=state.is_dead, errors=state.errors, asked_at=now, was_answered=state.was_answered
    )


class _DeadError(SourceError):
    """The exporter behind a metric is not alive."""


class _Flight:
    """One poll on its way; ends it on the board when it fails, and lets through all but ``SourceError``."""

    def __init__(self, board: Board, slot: _Slot) -> None:
        self._board = board
        self._slot = slot

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is not None:
            self._board.end(self._slot, error)
        return isinstance(error, SourceError)


def _ask(settings: MetricSettings, now: float, clock: Clock, processes: Mapping[str, Address]) -> Reading:
    """Ask whether the exporter lives, if that is configured, and then for the reading, both within one deadline."""
    poll = Poll(
        metric=settings.name,
        now=now,
        at=clock.wall(),
        timeout_seconds=settings.timeout,
        window_seconds=settings.window_seconds,
        processes=processes,
    )
    if settings.alive is None:
        return settings.source.read(poll)
    _check_alive(settings, settings.alive, poll)
    later = clock.now()
    left = now + settings.timeout - later
    if left <= 0:
        raise SourceError(_no_answer(settings.timeout))
    return settings.source.read(replace(poll, now=later, at=clock.wall(), timeout_seconds=left))


def _check_alive(settings: MetricSettings, query: str, poll: Poll) -> None:
    if not isinstance(settings.source, HasLiveness):
        raise _DeadError("alive is set, but this kind of source cannot check it; remove alive")
    try:
        settings.source.check_alive(query, poll)
    except SourceError as error:
        raise _DeadError(f"its exporter is not alive: {error}") from error


def _entry(slot: _Slot, now: float) -> BoardEntry:
    state, settings = slot.state, slot.settings
    reading = state.reading
    if reading is not None and not state.is_dead and now - reading.at <= settings.max_age:
        return BoardEntry(reading, None, state.errors)
    return BoardEntry(None, _cause(slot, state, now), state.errors)


def _cause(slot: _Slot, state: _State, now: float) -> str:
    """Say why there is no reading: what goes wrong now comes before what went wrong last."""
    failure = _no_answer(slot.settings.timeout) if slot.is_overdue(now) else state.failure
    if state.reading is None:
        return failure or "not read yet"
    age = _seconds(now - state.reading.at)
    if failure is None:
        return f"newest sample is {age} old, more than max_age {slot.settings.max_age:g} s"
    return failure if state.is_dead else f"{failure}; the newest sample is {age} old"


def _no_answer(timeout_seconds: float) -> str:
    return f"no answer within {timeout_seconds:g} s"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"  # noqa: PLR2004 - below, a decimal tells more
