"""Read durations such as ``500ms``, ``30s``, ``5m``, ``1h`` and ``1d``."""

from __future__ import annotations

import re

import durationpy
from pydantic import ValidationInfo

from autoscaler.config.readers import Reader, check_bounds, rejected, typed
from autoscaler.config.scalars import resolve
from autoscaler.config.substitution import Substituted
from autoscaler.config.wording import seconds, show, unlike
from autoscaler.model import Number, Seconds

PATTERN = r"([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+"
_DURATION = re.compile(PATTERN)
_NEGATIVE = re.compile(r"-" + PATTERN)
_EXAMPLES = "500ms, 30s, 5m, 1h or 1d"


def duration_reader(kind: Seconds, bounds: Number) -> Reader[float]:
    """Read a duration in seconds; zero only where it is allowed, and never a bare number."""

    def read(value: object, _: ValidationInfo) -> float:
        typed(value)  # for a reference that has no text
        duration = _parse(value)
        if duration <= 0 and not kind.allow_zero:
            raise rejected(f"{show(value)} is too short; write a duration above 0s, such as {_EXAMPLES}")
        check_bounds(value, duration, bounds, seconds)
        return duration

    return read


def _parse(value: object) -> float:
    text = str(value) if isinstance(value, str) else ""
    if _NEGATIVE.fullmatch(text):
        raise rejected(f"{show(value)} is negative; write a duration such as {_EXAMPLES}")
    if _DURATION.fullmatch(text):
        return _seconds(value, text)
    number = resolve(text) if isinstance(value, str) else value
    if isinstance(number, int | float) and not isinstance(number, bool):
        written = "30s" if isinstance(value, Substituted) or number < 0 else f"{text or show(value)}s"
        raise rejected(f"{show(value)} has no unit; write {written} for seconds")
    if isinstance(value, str):
        raise rejected(f"{show(value)} is not a duration; write it such as {_EXAMPLES}")
    raise rejected(unlike(value, "a duration", _EXAMPLES))


def _seconds(value: object, text: str) -> float:
    try:
        return float(durationpy.from_str(text).total_seconds())
    except durationpy.DurationError as error:
        raise rejected(f"{show(value)} is too long; write a duration such as {_EXAMPLES}") from error
