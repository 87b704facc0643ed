"""Read YAML 1.2 text into plain data that remembers the line and column of every key and value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from autoscaler.config.errors import ConfigurationError, Mistake
from autoscaler.config.places import KeyPath, Place, path_text
from autoscaler.config.scalars import resolve
from autoscaler.model import Json

_DEEPEST = 30  # levels of nesting; the deepest key of a real file lies at eight
_PROBLEMS = {
    "found character '\\t' that cannot start any token": "a tab cannot indent YAML; use spaces",
    "mapping values are not allowed here": "a second `: ` on one line; put the text that holds it in quotes, or the key on a line of its own",
    "found unexpected end of stream": "a quote is opened and never closed; close it",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file as plain data, with the place of everything in it."""

    name: str
    written: Json = None  # as it stands in the file
    data: object = None  # the same with ${NAME} substituted
    keys: Mapping[KeyPath, Place] = field(default_factory=dict)
    values: Mapping[KeyPath, Place] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()  # found while reading
    broken: frozenset[KeyPath] = frozenset()  # what these are about; nothing more is said about them

    def value_place(self, path: KeyPath) -> Place:
        """Find a value; for one that is not in the file, the key of the nearest thing around it."""
        return self.values[path] if path in self.values and path else self.key_place(path)

    def key_place(self, path: KeyPath) -> Place:
        """Find a key, an item of a list, or the nearest key around what is not in the file."""
        for length in range(len(path), 0, -1):
            place = self.keys.get(path[:length]) or self.values.get(path[:length])
            if place is not None:
                return place
        return Place(1, 1)


def parse(text: str, name: str) -> Document:
    """Read the text of one YAML document; ``data`` and ``written`` are equal until ``${NAME}`` is substituted.

    Keys are always text. Raises ``ConfigurationError`` where the text is no YAML or its top level no mapping; duplicate keys,
    tags and aliases become the document's ``mistakes``.
    """
    tree = _Tree(name)
    for event in _events(text, tree):
        tree.take(event)
    if not isinstance(tree.root, dict):
        empty = (
            "the file is empty; write one with: autoscaler init"
            if tree.root is None
            else "the top level must be keys with values, such as `formation:`"
        )
        tree.stop(Place(1, 1), empty)
    return replace(
        Document(name=name),
        written=tree.root,
        data=tree.root,
        keys=tree.keys,
        values=tree.values,
        mistakes=tuple(tree.mistakes),
        broken=frozenset(tree.broken),
    )


def _events(text: str, tree: _Tree) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text.removeprefix("\ufeff"))
    except ReaderError as error:
        before = text[: error.position]
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        tree.stop(place, f"the character {chr(error.character)!r} is not allowed in YAML; is this a text file?")
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
        tree.stop(place, _sentence(error, text, place))
    except (YAMLError, ValueError) as error:
        tree.stop(Place(1, 1), f"this is not YAML: {error}")


def _sentence(error: MarkedYAMLError, text: str, place: Place) -> str:
    problem = str(error.problem or error.context or "it cannot be read")
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "${" in line and ("{" in problem or "}" in problem):
        return "inside [ ] and { } a ${NAME} needs quotes; write '${NAME}'"
    return _PROBLEMS.get(problem, f"this is not YAML: {problem}; check the indentation and the quotes here and in the line above")


@dataclass(slots=True)
class _Open:
    """A mapping or a list whose end has not been read."""

    path: KeyPath
    node: dict[str, Json] | list[Json]
    key: str | int | None = None  # of a mapping: the key whose value comes next; a number for one that is dropped


class _Tree:
    """Grow plain data from the events of a YAML parser."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Json = None
        self.keys: dict[KeyPath, Place] = {}
        self.values: dict[KeyPath, Place] = {}
        self.mistakes: list[Mistake] = []
        self.broken: set[KeyPath] = set()
        self._open: list[_Open] = []
        self._documents = 0

    def stop(self, place: Place, message: str) -> NoReturn:
        """Give up: nothing after this place can be read."""
        raise ConfigurationError(self.name, [*self.mistakes, Mistake(place.line, place.column, "", message)])

    def take(self, event: Event) -> None:
        """Grow by one event."""
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
        elif isinstance(event, DocumentStartEvent):
            self._count_document(_place(event))
        elif isinstance(event, ScalarEvent | AliasEvent | MappingStartEvent | SequenceStartEvent):
            parent = self._open[-1] if self._open else None
            if parent and isinstance(parent.node, dict) and parent.key is None:
                parent.key = self._key(event, parent)
            else:
                self._value(event, parent)

    def _count_document(self, place: Place) -> None:
        self._documents += 1
        if self._documents > 1:
            self.stop(place, "a second document begins here; keep one, without `---` between")

    def _key(self, event: Event, parent: _Open) -> str | int:
        place = _place(event)
        if not isinstance(event, ScalarEvent):
            self.stop(place, "a key must be plain text; put quotes around a key that begins with {, [ or *")
        key = self._text(event)
        path = (*parent.path, key)
        if path in self.keys:
            self._add(place, path, f"the key {key!r} stands here again, first in line {self.keys[path].line}; keep one of them")
            return -len(self.mistakes)  # what stands under it is read on, at a path of its own, and dropped
        self.keys[path] = place
        return key

    def _value(self, event: Event, parent: _Open | None) -> None:
        path: KeyPath = ()
        if parent is not None:
            path = (*parent.path, cast("str | int", parent.key) if isinstance(parent.node, dict) else len(parent.node))
        self.values[path] = _place(event)
        value = self._make(event, path)
        if parent is None:
            self.root = value
        elif isinstance(parent.node, list):
            parent.node.append(value)
        else:
            self._fill(parent, value)

    def _fill(self, parent: _Open, value: Json) -> None:
        key, parent.key = parent.key, None
        if isinstance(parent.node, dict) and isinstance(key, str):
            parent.node[key] = value

    def _make(self, event: Event, path: KeyPath) -> Json:
        if isinstance(event, AliasEvent):
            self._add(_place(event), path, f"*{event.anchor} is an alias; write the value out, or put what all types share under `defaults:`")
            self.broken.add(path)
            return None
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._add(_place(event), path, f"the tag {tag} is not read here; leave it out")
            self.broken.add(path)
        if isinstance(event, ScalarEvent):
            text = self._text(event)
            return resolve(text) if event.style is None and tag is None else text
        return self._enter(event, path)

    def _text(self, event: ScalarEvent) -> str:
        """Join the halves of a character that is written as JSON does it, in two escapes."""
        text: str = event.value
        try:
            return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self.stop(_place(event), "a \\u escape stands for half a character; write the character itself")

    def _enter(self, event: Event, path: KeyPath) -> Json:
        if len(self._open) >= _DEEPEST:
            self.stop(_place(event), f"more than {_DEEPEST} levels of nesting; is a bracket missing above?")
        node: dict[str, Json] | list[Json] = {} if isinstance(event, MappingStartEvent) else []
        self._open.append(_Open(path, node))
        return node

    def _add(self, place: Place, path: KeyPath, message: str) -> None:
        self.mistakes.append(Mistake(place.line, place.column, path_text(path), message))


def _place(event: Event) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)
