"""Write a manifest as YAML that reads the same by YAML 1.1, which kubectl speaks, and by YAML 1.2."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

_INDENT = 2
_WIDEST = 100_000  # characters: a long line is not folded
_PLAIN = re.compile(r"/?[A-Za-z][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)*")
_WORDS = re.compile(r"y|n|yes|no|on|off|true|false|null|nan|inf", re.IGNORECASE)  # truth, nothing or a number to one of the two
_BREAKS = {ord("\n"): None, ord("\t"): None}


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with a comment above it, one or more lines without ``#``."""

    comment: str
    value: object


def write_yaml(manifest: object, head: str) -> str:
    """Write mappings, lists, texts, numbers and truths in block style, below the comment ``head``."""
    tree = _node(manifest, 0)
    tree.yaml_set_start_comment(head)
    yaml = YAML()
    yaml.indent(mapping=_INDENT, sequence=2 * _INDENT, offset=_INDENT)
    yaml.width = _WIDEST
    stream = io.StringIO()
    yaml.dump(tree, stream)
    return stream.getvalue()


# Any: the library's own nodes, which have no common type.
def _node(value: object, column: int) -> Any:
    if isinstance(value, dict):
        return _mapping(value, column)
    if isinstance(value, list):
        return _list(value, column)
    return _text(value) if isinstance(value, str) else value


def _mapping(items: dict[str, object], column: int) -> CommentedMap:
    tree = CommentedMap()
    for key, item in items.items():
        comment, value = _parted(item)
        tree[_text(key)] = _node(value, column + (2 * _INDENT if isinstance(value, list) else _INDENT))
        if comment:
            tree.yaml_set_comment_before_after_key(_text(key), before=comment, indent=column)
    if not items:
        tree.fa.set_flow_style()
    return tree


def _list(items: list[object], column: int) -> CommentedSeq:
    tree = CommentedSeq()
    for index, item in enumerate(items):
        comment, value = _parted(item)
        tree.append(_node(value, column))
        if comment:
            tree.yaml_set_comment_before_after_key(index, before=comment, indent=column - _INDENT)
    return tree


def _parted(item: object) -> tuple[str, object]:
    return (item.comment, item.value) if isinstance(item, Noted) else ("", item)


def _text(text: str) -> str:
    if "\n" in text and not text[0].isspace() and text.translate(_BREAKS).isprintable():
        return cast("str", LiteralScalarString(text))
    is_plain = _PLAIN.fullmatch(text) and not _WORDS.fullmatch(text)
    return text if is_plain else cast("str", DoubleQuotedScalarString(text))
