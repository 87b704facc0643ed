"""Write a configuration for a policy from the markers of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from autoscaler.config.annotations import mentions, unannotated
from autoscaler.config.derive import options_of
from autoscaler.model import MetricName, Seconds

_VALUES = {int: 2, float: 0.5, bool: True, str: "text"}


def configuration_of(policy: type) -> dict[str, object]:
    """Give every required key a value of its kind: metrics in turn, durations, numbers within every usual bound, the first of a choice."""
    metrics = iter(("m0", "m1") * 8)
    return {option.key: _value(option.hint, metrics) for option in options_of(policy) if option.is_required}


def _value(hint: object, metrics: Iterator[str]) -> object:
    if mentions(hint, MetricName):
        return next(metrics)
    if mentions(hint, Seconds):
        return "30s"
    bare = unannotated(hint)
    return _VALUES.get(bare) if bare in _VALUES else next(iter(get_args(bare)), None)
