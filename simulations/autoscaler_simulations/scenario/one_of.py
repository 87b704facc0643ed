"""Choose the one key that is given among several that exclude each other."""

from __future__ import annotations

from dataclasses import fields


def given(section: object, keys: tuple[str, ...]) -> tuple[str, object]:
    """Return the name and the value of the one field of a dataclass that is not ``None``.

    Raises ``ValueError`` naming the keys when none or several are given.
    """
    found = [(key, value) for key in keys if (value := getattr(section, key)) is not None]
    if len(found) != 1:
        said = "none is given" if not found else f"{' and '.join(_written(key) for key, _ in found)} exclude each other"
        raise ValueError(f"{said}; write one of {', '.join(map(_written, keys))}")
    return found[0]


def keys_of(section: type, *beside: str) -> tuple[str, ...]:
    """List the fields of a dataclass but those that may stand beside the one that is chosen."""
    return tuple(field.name for field in fields(section) if field.name not in beside)


def _written(key: str) -> str:
    """Write a field as the file does, without its unit."""
    return key.removesuffix("_seconds")
