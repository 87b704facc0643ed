"""Write values and choices as they stand in error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import timedelta

import durationpy

from autoscaler.config.substitution import Substituted

_LONGEST = 60  # characters of a value that are worth repeating
_MANY = 24  # names that are worth listing


def show(value: object) -> str:
    """Write a value of the file, cut to a line; one that came from the environment stays ``${NAME}``."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = _scalar(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _scalar(value: object) -> str:
    if value is None:
        return "an empty value"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Substituted):
        return value.written
    if isinstance(value, str):
        return repr(value)
    return str(value)


def kind(value: object) -> str:
    """Name what a value is: ``text``, ``a number``, ``true or false``, ``a list``, ``a mapping`` or ``empty``."""
    kinds = ((bool, "true or false"), (int | float, "a number"), (str, "text"), (list | tuple, "a list"), (dict, "a mapping"))
    return next((name for types, name in kinds if isinstance(value, types)), "empty")


def unlike(value: object, wanted: str, example: str) -> str:
    """Say that a value is not of the wanted kind, and what to write."""
    if value is None:
        return f"the value is empty; write {example}"
    if isinstance(value, bool):
        return f"{show(value)} is not {wanted}; write {example}"
    if isinstance(value, dict | list | tuple):
        return f"this is {kind(value)}, not {wanted}; write {example}"
    return f"{show(value)} is {kind(value)}, not {wanted}; write {example}"


def names(known: Iterable[str]) -> str:
    """List names with commas, the first two dozen of many."""
    listed = list(known)
    more = f" and {len(listed) - _MANY} more" if len(listed) > _MANY else ""
    return ", ".join(listed[:_MANY]) + more


def nearest(word: str, known: Iterable[str]) -> str:
    """Write ``did you mean target?`` for the nearest known word; empty when none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else ""


def suggest(word: str, known: Iterable[str]) -> str:
    """Write ``did you mean target?`` for the nearest known word, else list them all."""
    candidates = list(known)
    return nearest(word, candidates) or (f"use one of {names(candidates)}" if candidates else "none is known here")


def seconds(value: float) -> str:
    """Write seconds as the file does: ``500ms``, ``30s``, ``1h30m``, ``1d``."""
    days, rest = divmod(value, 86400.0)
    if value >= 86400.0 and not rest:  # noqa: PLR2004 - a day, as above
        return f"{days:g}d"
    text = str(durationpy.to_str(timedelta(seconds=value)))
    return "0s" if text == "0" else text
