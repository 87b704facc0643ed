"""Find a value in a JSON document by an RFC 6901 pointer."""

from __future__ import annotations

import re

from autoscaler.model import AutoscalerError, Json
from autoscaler.wording import shown

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_WRONG_ESCAPE = re.compile(r"~(?![01])")


class PointerError(AutoscalerError):
    """A document has no value where a pointer leads; the text says where the way ends."""


def require_pointer(pointer: str, key: str) -> None:
    """Raise ``ValueError`` naming ``key`` unless ``pointer`` is well formed."""
    if (pointer and not pointer.startswith("/")) or _WRONG_ESCAPE.search(pointer):
        raise ValueError(f"{key} {shown(pointer)} is no JSON pointer; write /queues/0/depth, with ~1 for a / and ~0 for a ~ in a name")


def find(document: Json, pointer: str) -> Json:
    """Return the value at ``pointer``, the whole document for an empty one; raise ``PointerError`` where the way ends."""
    found, passed = document, ""
    for part in pointer.split("/")[1:]:
        found = _step(found, part.replace("~1", "/").replace("~0", "~"), passed)
        passed += f"/{part}"
    return found


def _step(value: Json, name: str, passed: str) -> Json:
    where = passed or "the top"
    if isinstance(value, dict):
        if name not in value:
            raise PointerError(f"no key {shown(name)} at {where}")
        return value[name]
    if isinstance(value, list):
        if not _INDEX.fullmatch(name) or int(name) >= len(value):
            raise PointerError(f"no item {shown(name)} at {where}, a list of {len(value)}")
        return value[int(name)]
    raise PointerError(f"nothing lies below {where}, which is {described(value)}")


def described(value: Json) -> str:
    """Say what a JSON value is, in a few words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else f"the number {shown(str(value))}"
