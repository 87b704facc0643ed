"""Fill in what a request says of an order, where its template has places such as ``{count}``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping

from autoscaler.act.remote.api import quoted
from autoscaler.json_pointer import described
from autoscaler.model import Json
from autoscaler.wording import shown

_PLACE = re.compile(r"\{([a-z_]+)\}")


def places_in(template: object) -> set[str]:
    """Return the names of all places in a text, or in the texts of a document."""
    return {name for text in _texts(template) for name in _PLACE.findall(text)}


def require_places(template: object, key: str, known: Iterable[str]) -> None:
    """Raise ``ValueError`` naming ``key`` for a place that nothing is known for."""
    wrong = sorted(places_in(template) - set(known))
    if wrong:
        raise ValueError(f"{key} has {{{wrong[0]}}}, and what can stand there is {', '.join(f'{{{name}}}' for name in known)}")


def require_path(path: str, key: str) -> None:
    """Raise ``ValueError`` naming ``key`` unless a path can follow the address of a server."""
    if not path.startswith("/") or any(letter <= " " for letter in path):
        raise ValueError(f"{key} {shown(path)} is no path; write what follows the url, such as /apps/shop")


def json_of(value: object, key: str) -> Json:
    """Return a value of the file as JSON; raise ``ValueError`` naming ``key`` for what is none."""
    if isinstance(value, dict):
        return {_name_of(name, key): json_of(item, key) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_of(item, key) for item in value]
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError(f"{key} holds {value}, which is no JSON; write text, a number, true, false, null, a list or a mapping")


def fill_path(template: str, values: Mapping[str, Json]) -> str:
    """Fill in a path; what is put in is percent-encoded."""
    return _PLACE.sub(lambda place: quoted(str(values[place[1]])), template)


def fill(template: Json, values: Mapping[str, Json]) -> Json:
    """Fill in a document; a text that is one place and nothing else becomes the value itself: ``"{count}"`` a number."""
    if isinstance(template, dict):
        return {name: fill(item, values) for name, item in template.items()}
    if isinstance(template, list):
        return [fill(item, values) for item in template]
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    return values[whole[1]] if whole else fill_text(template, values)


def fill_header(template: str, values: Mapping[str, Json]) -> str:
    """Fill in a header, which takes one line of Latin letters; a reason may have others, and gets ``?`` in their place."""
    reason = "".join(letter if letter.isprintable() else " " for letter in str(values.get("reason")))
    return fill_text(template, {**values, "reason": reason.encode("latin-1", "replace").decode("latin-1")})


def fill_text(template: str, values: Mapping[str, Json]) -> str:
    """Fill in a text."""
    return _PLACE.sub(lambda place: str(values[place[1]]), template)


def count_at(value: Json, where: str) -> int:
    """Return a number of processes; raise ``ValueError`` saying what stands there instead."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"found {described(value)} at {where}, not a number of processes")
    return value


def _texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    items = template.values() if isinstance(template, Mapping) else template if isinstance(template, list | tuple) else ()
    for item in items:
        yield from _texts(item)


def _name_of(name: object, key: str) -> str:
    if not isinstance(name, str):
        raise ValueError(f"{key} has the name {name}, which is no text; write it in quotes")  # noqa: TRY004 - a mistake in the file
    return str(name)
