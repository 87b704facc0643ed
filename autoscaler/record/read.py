"""Read a record back into the values it was written from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import Field, FiniteFloat, Strict, TypeAdapter, ValidationError

from autoscaler.events import Notice
from autoscaler.model import (
    Abstain,
    Action,
    Adjustment,
    Answer,
    Counts,
    Json,
    Missing,
    Observation,
    PolicyAnswer,
    ProcessType,
    Reading,
    Recommendation,
)
from autoscaler.record.circumstances import Circumstances
from autoscaler.record.line import HEAD, RecordError, to_monotonic

_Number: TypeAlias = Annotated[FiniteFloat, Strict()]
_Whole: TypeAlias = Annotated[int, Strict()]
_Text: TypeAlias = Annotated[str, Strict()]

_REMEDY = "remove the line, or take the record from before it"
_IS_MISSING = " is missing: "  # between the metric and the cause, as Missing.reason says it


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A controller began here: its version, its whole configuration as written in the file, and the state it began with."""

    version: str
    at: float
    now: float
    configuration: Json
    state: Json


@dataclass(frozen=True, slots=True)
class CutLine:
    """A line that a crash or a full disk cut off: the last one, or the last before another start; ``text`` says where."""

    number: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """One decision as the record holds it; readings carry monotonic times."""

    at: float
    now: float
    process_type: str
    counts: Counts
    readings: Mapping[str, Reading]
    missing: Mapping[str, str]
    answers: tuple[PolicyAnswer, ...]
    adjustments: tuple[Adjustment, ...]
    target: int
    action: Action
    reason: str

    def observation(self, process_type: ProcessType, circumstances: Circumstances) -> Observation:
        """Return the observation that was decided on.

        What the line does not hold comes from the caller: the process type, and what the lines before told of it. The ready history
        is the pipeline's to fill in.
        """
        configured, measured = process_type.startup_seconds, circumstances.startup_seconds
        return Observation(
            now=self.now,
            at=self.at,
            process_type=process_type,
            counts=self.counts,
            readings=self.readings,
            missing=self.missing,
            startup_seconds=measured if configured is None else configured,
            is_crash_looping=circumstances.is_crash_looping,
            is_called=circumstances.is_called,
            room=circumstances.room,
            unready=circumstances.unready,
            chooses_idlest=circumstances.chooses_idlest,
        )


Entry: TypeAlias = Start | Notice | RecordedDecision | CutLine


def read_record(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield what each line says; blank lines are passed over.

    An event that is neither a start nor a decision is a ``Notice``; without times of its own it has those of the line before.
    A line that is cut off yields a ``CutLine`` when it is the last one or a start follows; anywhere else, and for a line of the
    wrong shape, raises ``RecordError`` naming line and column or key.
    """
    cut: CutLine | None = None
    times: dict[str, float] = {}
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        entry = _entry(number, text, times)
        if cut is not None:
            yield _forgiven(cut, entry)
        cut = entry if isinstance(entry, CutLine) else None
        if not isinstance(entry, CutLine):
            times = {"at": entry.at, "now": entry.now}
            yield entry
    if cut is not None:
        yield cut


def _forgiven(cut: CutLine, following: Entry) -> CutLine:
    if not isinstance(following, Start):
        raise RecordError(f"{cut.text}; {_REMEDY}")
    return cut


def _entry(number: int, text: str, times: Mapping[str, float]) -> Entry:
    try:
        line = json.loads(text)
    except json.JSONDecodeError as error:
        return CutLine(number, f"line {number}, column {error.colno}: not whole JSON: {error.msg}")
    if not isinstance(line, dict) or not isinstance(line.get("event"), str):
        raise RecordError(f'line {number}, column 1: not an object with an "event"; is this file a decision record?')
    try:
        return _parse(line, times)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"line {number}: {key}: {first['msg']}; {_REMEDY}") from error


def _parse(line: dict[str, Json], times: Mapping[str, float]) -> Entry:
    if line["event"] == "decision":
        return _DECISION.validate_python(line).decision()
    if line["event"] == "start":
        start = _START.validate_python(line)
        return Start(version=start.version, at=start.at, now=start.now, configuration=start.configuration, state=start.state)
    notice = _NOTICE.validate_python({**times, **line})
    details = {key: value for key, value in line.items() if key not in HEAD}
    return Notice(event=notice.event, now=notice.now, at=notice.at, details=details)


@dataclass(frozen=True, slots=True)
class _NoticeLine:
    event: _Text
    at: _Number
    now: _Number


@dataclass(frozen=True, slots=True)
class _StartLine:
    version: _Text
    at: _Number
    now: _Number
    configuration: Any  # any JSON value: the file's own shape
    state: Any  # any JSON value: the controller's own shape


@dataclass(frozen=True, slots=True)
class _ReadingLine:
    value: _Number
    at: _Number
    by_process: dict[str, _Number] | None
    window_seconds: _Number = 0.0


@dataclass(frozen=True, slots=True)
class _AnswerLine:
    policy: _Text
    processes: _Whole | None
    reason: _Text
    memory: Any  # any JSON value: the policy's own shape

    def answer(self) -> Answer:
        if self.processes is not None:
            return Recommendation(self.processes, self.reason, self.memory)
        metric, is_missing, cause = self.reason.partition(_IS_MISSING)
        return Missing(metric, cause, self.memory) if is_missing else Abstain(self.reason, self.memory)


@dataclass(frozen=True, slots=True)
class _AdjustmentLine:
    rule: _Text
    before: Annotated[_Whole, Field(alias="from")]
    after: Annotated[_Whole, Field(alias="to")]
    reason: _Text


@dataclass(frozen=True, slots=True)
class _DecisionLine:
    at: _Number
    now: _Number
    process_type: _Text
    observed: Counts
    readings: dict[str, _ReadingLine]
    missing: dict[str, str]
    recommendations: tuple[_AnswerLine, ...]
    adjustments: tuple[_AdjustmentLine, ...]
    target: _Whole
    action: Action
    reason: _Text

    def decision(self) -> RecordedDecision:
        return RecordedDecision(
            at=self.at,
            now=self.now,
            process_type=self.process_type,
            counts=self.observed,
            readings={metric: self._reading(metric, line) for metric, line in self.readings.items()},
            missing=self.missing,
            answers=tuple(PolicyAnswer(line.policy, line.answer()) for line in self.recommendations),
            adjustments=tuple(Adjustment(line.rule, line.before, line.after, line.reason) for line in self.adjustments),
            target=self.target,
            action=self.action,
            reason=self.reason,
        )

    def _reading(self, metric: str, line: _ReadingLine) -> Reading:
        return Reading(metric, line.value, to_monotonic(line.at, self.at, self.now), line.window_seconds, line.by_process)


_DECISION = TypeAdapter(_DecisionLine)
_START = TypeAdapter(_StartLine)
_NOTICE = TypeAdapter(_NoticeLine)
