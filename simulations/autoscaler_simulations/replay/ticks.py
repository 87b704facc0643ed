"""Put the decisions of a record together that were made on one tick."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from autoscaler.events import Notice
from autoscaler.record import CutLine, RecordedDecision, Start, read_record


@dataclass(frozen=True, slots=True)
class Written:
    """A recorded decision and the text of its line."""

    decision: RecordedDecision
    text: str


@dataclass(frozen=True, slots=True)
class RecordedTick:
    """All decisions of one tick; ``is_cut`` where the line that follows is cut off, so that some may be lacking."""

    decisions: tuple[Written, ...]
    is_cut: bool = False


Event: TypeAlias = Start | Notice | CutLine | RecordedTick


class _Lines:
    """Hands lines on, and remembers the last one."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.last = line.rstrip("\r\n")
            yield line


def read_ticks(lines: Iterable[str]) -> Iterator[Event]:
    """Yield ticks, and what stands between them; raise ``RecordError`` for what is no record."""
    written = _Lines(lines)
    tick: tuple[Written, ...] = ()
    for entry in read_record(written):
        if tick and not _belongs(entry, tick):
            yield RecordedTick(tick, isinstance(entry, CutLine))
            tick = ()
        if isinstance(entry, RecordedDecision):
            tick = (*tick, Written(entry, written.last))
        else:
            yield entry
    if tick:
        yield RecordedTick(tick)


def _belongs(entry: object, tick: tuple[Written, ...]) -> bool:
    """Tell whether a decision was made on this tick: at its very time, for a type that it does not hold yet."""
    if not isinstance(entry, RecordedDecision) or entry.now != tick[0].decision.now:
        return False
    return all(written.decision.process_type != entry.process_type for written in tick)
