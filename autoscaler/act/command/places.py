"""Fill in a command where its template has places such as ``{process}``, each value quoted for the shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

# Braces of the shell's own, such as ${name} and { list; }, are no places.
_PLACE = re.compile(r"(?<!\$)\{([a-z]+)\}")


def places_in(template: str) -> set[str]:
    """Return the names of all places in a command."""
    return set(_PLACE.findall(template))


def require_places(template: str, key: str, known: Iterable[str]) -> None:
    """Raise ``ValueError`` naming ``key`` for a place that nothing is known for."""
    wrong = sorted(places_in(template) - set(known))
    if wrong:
        raise ValueError(f"{key} has {{{wrong[0]}}}, and what can stand there is {', '.join(f'{{{name}}}' for name in known)}")


def fill_command(template: str, values: Mapping[str, str | Sequence[str]]) -> str:
    """Fill in a command; several values stand side by side."""
    return _PLACE.sub(lambda place: _quoted(values[place[1]]), template)


def _quoted(value: str | Sequence[str]) -> str:
    return shlex.quote(value) if isinstance(value, str) else " ".join(shlex.quote(each) for each in value)
