"""Read back what the pipeline remembers, from the state that a record begins with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from autoscaler.decide.memory import Memory
from autoscaler.model import Json
from autoscaler.record.line import RecordError

_REMEDY = "take the record from another start"


def memory_of(value: Json) -> Memory:
    """Return the memory that ``dataclasses.asdict`` made a JSON value of.

    Raises ``RecordError`` naming the key when one is missing, unknown or of another shape.
    """
    try:
        line = _LINE.model_validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(["memory", *map(str, first["loc"])])
        raise RecordError(f"{key}: {first['msg']}; {_REMEDY}") from error
    return Memory(**{each.name: getattr(line, each.name) for each in fields(Memory)})


def memories_of(state: Json) -> dict[str, Memory]:
    """Return the memory of each type that a start line's state holds; raise ``RecordError`` for another shape."""
    memories = state.get("memories", {}) if isinstance(state, dict) else {}
    if not isinstance(memories, dict):
        raise RecordError(f"the state of the start line: memories: {memories!r} is no object with the memory of each process type; {_REMEDY}")
    return {name: _memory_of(name, value) for name, value in memories.items()}


def _memory_of(name: str, value: Json) -> Memory:
    try:
        return memory_of(value)
    except RecordError as error:
        raise RecordError(f"the state of the start line: memories.{name}: {error}") from error


def _line_model() -> type[BaseModel]:
    # Any: what policies remember is any JSON value, and pydantic cannot follow a type that holds itself.
    hints: Mapping[str, Any] = {**get_type_hints(Memory), "policies": dict[str, Any]}
    configuration = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    shapes: dict[str, Any] = {name: (hint, ...) for name, hint in hints.items()}
    return create_model("MemoryLine", __config__=configuration, **shapes)


_LINE = _line_model()
