"""Lay what a process type says over what the defaults say, key by key."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

Section = TypeVar("Section")


def overlay(own: Section, below: object) -> Section:
    """Fill every field of ``own`` that is ``None`` from the field of the same name ``below``; sections and mappings are merged."""
    fields = dataclasses.fields(own)  # type: ignore[arg-type]  # a TypeVar cannot be bound to "any dataclass"
    return type(own)(**{field.name: _merge(getattr(own, field.name), getattr(below, field.name, None)) for field in fields})


def _merge(own: object, below: object) -> object:
    if own is None or below is None:
        return below if own is None else own
    if dataclasses.is_dataclass(own) and type(own) is type(below):
        return overlay(own, below)
    if isinstance(own, Mapping) and isinstance(below, Mapping):
        return {**below, **own}
    return own
