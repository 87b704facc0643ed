"""Read rate limits such as ``4 per 15s`` and ``25% per 1m``."""

from __future__ import annotations

import re

from pydantic import ValidationInfo

from autoscaler.config.durations import PATTERN as DURATION
from autoscaler.config.durations import duration_reader
from autoscaler.config.readers import read_text, rejected
from autoscaler.config.wording import show, unlike
from autoscaler.decide.settings import RateLimit
from autoscaler.model import Number, Seconds

PATTERN = rf"[0-9]+ ?%? +per +{DURATION}"
_LIMIT = re.compile(r"(?P<amount>[0-9]{1,9}) ?(?P<percent>%?) +per +(?P<period>" + DURATION + ")")
_EXAMPLES = "'4 per 15s' or '25% per 1m'"


def read_rate_limit(value: object, info: ValidationInfo) -> RateLimit:
    """Read a number of processes, or percent of them, in a period."""
    if not isinstance(value, str):
        raise rejected(unlike(value, "a rate limit", _EXAMPLES))
    found = _LIMIT.fullmatch(read_text(value, info).strip())
    if found is None:
        raise rejected(f"{show(value)} is not a rate limit; write whole numbers such as {_EXAMPLES}")
    if int(found["amount"]) == 0:
        raise rejected(f"{show(value)} would never let anything change; write at least 1, or use pause_scale_out or pause_scale_in")
    period = duration_reader(Seconds(), Number())(found["period"], info)
    return RateLimit(int(found["amount"]), "percent" if found["percent"] else "processes", period)
