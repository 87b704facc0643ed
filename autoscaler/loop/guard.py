"""Call plug-ins so that the failure of one never stops the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from autoscaler.model import AutoscalerError

T = TypeVar("T")
U = TypeVar("U")


def guard(call: Callable[[], T], otherwise: Callable[[str], U]) -> T | U:
    """Call a plug-in; when it raises, return what ``otherwise`` makes of the cause."""
    try:
        return call()
    except AutoscalerError as problem:
        return otherwise(str(problem))
    except Exception as problem:  # noqa: BLE001 - plug-ins may raise anything; this is the one place that catches it
        return otherwise(f"{type(problem).__name__}: {problem}")
