"""Turn the type of a plug-in's field, with its markers, into what pydantic validates a value of the file with."""

from __future__ import annotations

import dataclasses
import functools
import operator
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, Union, get_args, get_origin

from pydantic import BeforeValidator, Discriminator, PlainValidator, Tag, WithJsonSchema

from autoscaler.config import json_types
from autoscaler.config.addresses import read_address
from autoscaler.config.durations import duration_reader
from autoscaler.config.json_types import JsonSchema
from autoscaler.config.rate_limits import read_rate_limit
from autoscaler.config.readers import (
    choice_reader,
    integer_reader,
    number_reader,
    read_flag,
    read_metric_name,
    read_path,
    read_secret,
    read_text,
    rejected,
)
from autoscaler.config.sizes import read_size
from autoscaler.config.wording import kind, unlike
from autoscaler.decide.settings import RateLimit
from autoscaler.model import Address, AutoscalerError, ByteSize, FilePath, MetricName, Number, Seconds, Secret

# Any: whatever may stand in an annotation, which has no type of its own.
Annotation: TypeAlias = Any
Within: TypeAlias = Callable[[Annotation], Annotation]  # annotates a type that stands within another
Marker = TypeVar("Marker")
TAG = "\0"  # begins the name of a union's member in pydantic's location of an error


class UnreadableFieldError(AutoscalerError):
    """A plug-in has a field of a type that no value of the file can become."""


def annotate(hint: Annotation, nested: Callable[[type], Annotation], markers: tuple[object, ...] = ()) -> Annotation:
    """Return the annotation that reads ``hint`` from the file; ``nested`` makes the one of a dataclass.

    Raises ``UnreadableFieldError`` for a type that the configuration has no way to write.
    """
    origin: Annotation = get_origin(hint)
    if origin is Annotated:
        return annotate(get_args(hint)[0], nested, (*hint.__metadata__, *markers))
    if origin in _FORMS:
        return _FORMS[origin](get_args(hint), functools.partial(annotate, nested=nested, markers=markers))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in _VALUES:
        return nested(hint)
    return _scalar(hint, markers)


def unannotated(hint: Annotation) -> Annotation:
    """Strip the markers off a type."""
    origin: Annotation = get_origin(hint)
    return unannotated(get_args(hint)[0]) if origin is Annotated else hint


def mentions(hint: Annotation, marker: type) -> bool:
    """Tell whether a type, or one within it, carries a marker."""
    return any(isinstance(each, marker) for each in getattr(hint, "__metadata__", ())) or any(mentions(each, marker) for each in get_args(hint))


def _leaf(reader: Callable[..., object], schema: JsonSchema) -> Annotation:
    return Annotated[Any, PlainValidator(reader), WithJsonSchema(schema)]


_VALUES: dict[type, tuple[Callable[..., object], JsonSchema]] = {
    bool: (read_flag, json_types.FLAG),
    Address: (read_address, json_types.ADDRESS),
    RateLimit: (read_rate_limit, json_types.RATE_LIMIT),
}
_TEXTS: dict[type, tuple[Callable[..., object], JsonSchema]] = {
    Secret: (read_secret, json_types.SECRET),
    FilePath: (read_path, json_types.TEXT),
    MetricName: (read_metric_name, json_types.TEXT),
}


def _scalar(hint: Annotation, markers: tuple[object, ...]) -> Annotation:
    seconds, bounds = _last(markers, Seconds), _bounds(markers)
    if seconds is not None and hint in (int, float):
        return _leaf(duration_reader(seconds, bounds), json_types.DURATION)
    if hint is int:
        is_size = _last(markers, ByteSize) is not None
        return _leaf(read_size, json_types.SIZE) if is_size else _leaf(integer_reader(bounds), json_types.integer(bounds))
    if hint is float:
        return _leaf(number_reader(bounds), json_types.number(bounds))
    if hint is str:
        reader, schema = next((_TEXTS[type(marker)] for marker in markers if type(marker) in _TEXTS), (read_text, json_types.TEXT))
        return _leaf(reader, schema)
    if hint is object:
        return Any
    if hint in _VALUES:
        return _leaf(*_VALUES[hint])
    known = "bool, int, float, str, Literal, tuple, Mapping[str, ...], Address, a frozen dataclass, or a choice of these"
    raise UnreadableFieldError(f"{hint} cannot be written in a configuration; use {known}")


def _last(markers: tuple[object, ...], kind_of: type[Marker]) -> Marker | None:
    return next((marker for marker in reversed(markers) if isinstance(marker, kind_of)), None)


def _bounds(markers: tuple[object, ...]) -> Number:
    merged: dict[str, float] = {}
    for marker in markers:
        if isinstance(marker, Number):
            merged |= {name: bound for name in ("above", "at_least", "at_most") if (bound := getattr(marker, name)) is not None}
    return Number(**merged)


def _literal(choices: tuple[Annotation, ...], _: Within) -> Annotation:
    return _leaf(choice_reader(choices), json_types.choice(choices))


def _mapping(arguments: tuple[Annotation, ...], within: Within) -> Annotation:
    of_text: Annotation = dict
    return Annotated[of_text[str, within(arguments[1])], BeforeValidator(as_mapping)]


def _tuple(arguments: tuple[Annotation, ...], within: Within) -> Annotation:
    of_items: Annotation = tuple
    if arguments[-1] is Ellipsis:
        return Annotated[of_items[within(arguments[0]), ...], BeforeValidator(as_tuple)]
    members = tuple(within(argument) for argument in arguments)
    return Annotated[of_items[members], BeforeValidator(functools.partial(_as_exactly, len(members)))]


def as_mapping(value: object) -> dict[str, object]:
    """Take a mapping; an empty value is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise rejected(unlike(value, "a mapping", "keys with values below it"))
    return value


def as_tuple(value: object) -> tuple[object, ...]:
    """Take a list."""
    if not isinstance(value, list | tuple):
        raise rejected(unlike(value, "a list", "it in [ ], or one item a line after `- `"))
    return tuple(value)


def _as_exactly(length: int, value: object) -> tuple[object, ...]:
    items = as_tuple(value)
    if len(items) != length:
        raise rejected(f"the list has {len(items)} items; write {length}")
    return items


def _union(arguments: tuple[Annotation, ...], within: Within) -> Annotation:
    hints = [argument for argument in arguments if argument is not types.NoneType]
    members = [within(hint) for hint in hints]
    one = members[0] if len(members) == 1 else _choice(hints, members)
    return one | None if len(hints) < len(arguments) else one


def _choice(hints: list[Annotation], members: list[Annotation]) -> Annotation:
    """Choose among several types by what the value is, so that a mistake is told of the type that was meant."""
    kinds = [_kind(hint) for hint in hints]
    if len(set(kinds)) < len(kinds):
        raise UnreadableFieldError(f"{hints} cannot be told apart in a configuration; use types of different kinds")

    def choose(value: object) -> str:
        return f"{TAG}{kinds.index(kind(value))}"

    def check(value: object) -> object:
        if kind(value) not in kinds:
            raise rejected(unlike(value, " or ".join(kinds), f"{' or '.join(kinds)}"))
        return value

    tagged = [Annotated[member, Tag(f"{TAG}{index}")] for index, member in enumerate(members)]
    return Annotated[Annotated[functools.reduce(operator.or_, tagged), Discriminator(choose)], BeforeValidator(check)]


def _kind(hint: Annotation) -> str:
    """Name the kind of value that a type is written as, in the words of ``wording.kind``."""
    bare = unannotated(hint)
    origin: Annotation = get_origin(bare)
    if origin is tuple:
        return "a list"
    if origin is Literal:
        return kind(get_args(bare)[0])
    if bare in (int, float):
        return "text" if mentions(hint, Seconds) or mentions(hint, ByteSize) else "a number"
    if bare is bool:
        return "true or false"
    return "text" if bare in (str, Address, RateLimit) else "a mapping"


_FORMS: dict[Annotation, Callable[[tuple[Annotation, ...], Within], Annotation]] = {
    Union: _union,
    types.UnionType: _union,
    Literal: _literal,
    tuple: _tuple,
    dict: _mapping,
    Mapping: _mapping,
}
