"""Describe in JSON Schema what each reader takes, so that an editor can check the file while it is written."""

from __future__ import annotations

from typing import Any, TypeAlias

from autoscaler.config import addresses, durations, rate_limits, sizes
from autoscaler.model import Number

# Any: JSON Schema nests without end, and pydantic wants exactly this type.
JsonSchema: TypeAlias = dict[str, Any]

REFERENCE: JsonSchema = {"type": "string", "pattern": r"\$\{"}
TEXT: JsonSchema = {"type": "string"}
FLAG: JsonSchema = {"anyOf": [{"type": "boolean"}, REFERENCE]}
SECRET: JsonSchema = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*\}", "examples": ["${TOKEN}"]}
ADDRESS: JsonSchema = {"type": "string", "pattern": rf"^{addresses.PATTERN}$|\$\{{", "examples": ["127.0.0.1:8000"]}
DURATION: JsonSchema = {"type": "string", "pattern": rf"^{durations.PATTERN}$|\$\{{", "examples": ["500ms", "30s", "5m", "1h", "1d"]}
SIZE: JsonSchema = {"type": "string", "pattern": rf"^{sizes.PATTERN}$|\$\{{", "examples": ["512M", "2G"]}
RATE_LIMIT: JsonSchema = {"type": "string", "pattern": rf"^{rate_limits.PATTERN}$|\$\{{", "examples": ["4 per 15s", "25% per 1m"]}


def integer(bounds: Number) -> JsonSchema:
    """Describe a whole number within bounds."""
    return {"anyOf": [{"type": "integer", **_bounds(bounds)}, REFERENCE]}


def number(bounds: Number) -> JsonSchema:
    """Describe a number within bounds."""
    return {"anyOf": [{"type": "number", **_bounds(bounds)}, REFERENCE]}


def choice(choices: tuple[object, ...]) -> JsonSchema:
    """Describe a choice of words, numbers or flags."""
    return {"anyOf": [{"enum": list(choices)}, REFERENCE]}


def _bounds(bounds: Number) -> JsonSchema:
    named = {"exclusiveMinimum": bounds.above, "minimum": bounds.at_least, "maximum": bounds.at_most}
    return {name: bound for name, bound in named.items() if bound is not None}
