"""Read a load from what Prometheus answers to a range query."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from autoscaler.model import Json
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.errors import TraceError
from autoscaler_simulations.load.text_file import quoted, read_text
from autoscaler_simulations.load.trace import RateCurve

Fill: TypeAlias = Literal["zero", "last"]

_MILLISECOND = 0.001
_HIGHEST = 1e12  # requests a second
_LATEST = 1e11  # seconds since 1970: the year 5138; milliseconds are more
MOST_TIMES = 10_000_000  # of a range
_UNEVEN = 0.01  # of a step, how far a time may be off
_SAID = 200  # characters of what a server says
_NAMED = 5  # times that an error names
_MALFORMED = (LookupError, TypeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Grid:
    """The times of a range query."""

    start: float  # seconds since 1970
    step_seconds: float
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The samples of all series, each series after the other."""

    times: Floats  # seconds since 1970
    values: Floats  # NaN: no number


def read_range_json(path: str | Path, fill: Fill | None = None) -> RateCurve:
    """Read the saved answer of ``/api/v1/query_range``: a matrix of requests a second.

    Series are summed, as ``sum(...)`` does: one that is absent or NaN at a time counts as nothing then. A time at which no series has
    a number is missing; ``zero`` and ``last`` fill it in. The first time is second 0, and the step is the least distance of two
    times. Raises ``TraceError`` for missing times without ``fill``, and anything that is not such an answer or not a rate.
    """
    try:
        document: Json = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise TraceError(f"{path}:{error.lineno}: not JSON, {error.msg}; save the answer of /api/v1/query_range as it is") from error
    except (ValueError, RecursionError) as error:
        raise TraceError(f"{path}: JSON that cannot be read; save the answer of /api/v1/query_range as it is") from error
    samples = samples_of(document, str(path))
    return curve_on(_grid_of(samples, str(path)), samples, fill, str(path))


def samples_of(document: Json, told_by: str) -> Samples:
    """Take the samples out of an answer; raise ``TraceError``, beginning with ``told_by``, for one that holds no matrix."""
    try:
        found = list(_series(document, told_by))
    except _MALFORMED as error:
        raise TraceError(f"{told_by}: not what Prometheus answers to a range query; ask /api/v1/query_range") from error
    times = np.concatenate([series.times for series in found]) if found else np.empty(0)
    return Samples(times, np.concatenate([series.values for series in found]) if found else np.empty(0))


def curve_on(grid: Grid, samples: Samples, fill: Fill | None, told_by: str) -> RateCurve:
    """Sum the samples at each time of the grid; raise ``TraceError``, beginning with ``told_by``, for what is missing or no rate."""
    is_number = ~np.isnan(samples.values)
    times, rates = samples.times[is_number], samples.values[is_number]
    _refuse_values(times, rates, told_by)
    places = np.rint((times - grid.start) / grid.step_seconds)
    is_off = np.abs(times - grid.start - places * grid.step_seconds) > _UNEVEN * grid.step_seconds
    is_off |= (places < 0) | (places >= grid.number)
    if is_off.any():
        at = _moment(times[is_off.argmax()])
        raise TraceError(f"{told_by}: the sample at {at} is at no step of {grid.step_seconds:g} s; ask for all series with one step")
    numbers = np.bincount(places.astype(np.int64), minlength=grid.number)
    summed: Floats = np.bincount(places.astype(np.int64), weights=rates, minlength=grid.number).astype(np.float64)
    return RateCurve(grid.step_seconds, _filled(grid, summed, numbers > 0, fill, told_by))


def _series(document: Json, told_by: str) -> Iterator[Samples]:
    """Index an answer as Prometheus documents it; the caller takes what goes wrong."""
    answer = _mapping(document)
    if answer["status"] == "error":
        said = " ".join(f"{answer.get('errorType')}: {answer.get('error')}".split())[:_SAID]
        raise TraceError(f"{told_by} answered {said}; correct the query")
    data = _mapping(answer["data"])
    if data["resultType"] != "matrix":
        raise TraceError(f"{told_by}: the result is a {quoted(str(data['resultType']))}, not a matrix; ask /api/v1/query_range")
    for each in _list(data["result"]):
        series = _mapping(each)
        if "values" not in series:
            raise TraceError(f"{told_by}: the result is a native histogram; ask for a rate, as histogram_count(rate(...)) is")
        yield _samples(_list(series["values"]), told_by)


def _samples(pairs: list[Json], told_by: str) -> Samples:
    times = np.array([_number(_list(pair)[0]) for pair in pairs])
    values = np.array([float(str(_list(pair)[1])) for pair in pairs])
    if (np.abs(times) > _LATEST).any() or np.isnan(times).any():
        raise TraceError(f"{told_by}: {times[0]:.15g} is no time in seconds since 1970; save the answer as it is")
    if (np.diff(times) <= 0).any():
        at = _moment(times[1:][(np.diff(times) <= 0).argmax()])
        raise TraceError(f"{told_by}: the sample at {at} is not after the one before it; save the answer as it is")
    return Samples(times, values)


def _number(value: Json) -> float:
    if not isinstance(value, int | float):
        raise TypeError("not a number")
    return float(value)


def _mapping(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _grid_of(samples: Samples, told_by: str) -> Grid:
    times = np.unique(samples.times)
    if len(times) == 0:
        raise TraceError(f"{told_by}: there is no series; ask for a query that matches one")
    if len(times) == 1:
        raise TraceError(f"{told_by}: {_moment(times[0])} is the only time, so that the step is unknown; ask for at least two")
    step = max(_MILLISECOND, round(float(np.diff(times).min()), 3))  # Prometheus keeps milliseconds, and a float of a time hardly more
    number = round((times[-1] - times[0]) / step) + 1
    if number > MOST_TIMES:
        raise TraceError(f"{told_by}: {number:,} steps of {step:g} s are more than {MOST_TIMES:,}; ask for all series with one, longer step")
    return Grid(float(times[0]), step, number)


def _refuse_values(times: Floats, rates: Floats, told_by: str) -> None:
    is_bad = ~((rates >= 0) & (rates <= _HIGHEST))
    if is_bad.any():
        row = int(is_bad.argmax())
        said = f"{rates[row]:g} at {_moment(times[row])} is no rate of 0 to {_HIGHEST:g}"
        raise TraceError(f"{told_by}: {said}; ask for requests a second, as rate(...) gives")


def _filled(grid: Grid, rates: Floats, is_there: npt.NDArray[np.bool_], fill: Fill | None, told_by: str) -> Floats:
    if is_there.all() or fill == "zero":
        return rates
    if fill is None or not is_there[0]:
        missing = np.flatnonzero(~is_there)
        named = ", ".join(_moment(grid.start + place * grid.step_seconds) for place in missing[:_NAMED])
        fix = "fill with zero or last" if fill is None else "there is nothing before it to fill with, so begin later or fill with zero"
        more = ", ..." if len(missing) > _NAMED else ""
        raise TraceError(f"{told_by}: {len(missing)} of {grid.number} times have no value: {named}{more}; {fix}")
    last = np.maximum.accumulate(np.where(is_there, np.arange(grid.number), 0))
    return rates[last]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat().replace("+00:00", "Z")
