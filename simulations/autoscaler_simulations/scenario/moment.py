"""Read the date and time at which a simulation begins."""

from __future__ import annotations

from datetime import UTC, datetime

_YEARS = range(1970, 3000)  # what time zones and the record can tell


def read_time(text: str) -> float:
    """Read a date and time, such as ``2026-03-02 00:00``, in UTC unless it names an offset; return seconds since the epoch.

    Raises ``ValueError`` for what is none, or no year of 1970 to 2999.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date and time; write it as '2026-03-02 00:00'") from error
    if moment.year not in _YEARS:
        raise ValueError(f"{text!r} is not in the years {_YEARS[0]} to {_YEARS[-1]}; write such as '2026-03-02 00:00'")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
