"""Read one number out of a text that a person or a program wrote."""

from __future__ import annotations

import re

from autoscaler.observe.source import SourceError
from autoscaler.wording import shown

_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE)


def number_from(text: str, told_by: str) -> float:
    """Return the one number in ``text``, which may be NaN or infinite; white space around it is ignored.

    Raises ``SourceError`` beginning with ``told_by``, such as ``the file``.
    """
    bare = text.strip()
    if not bare:
        raise SourceError(f"{told_by} is empty")
    if not _NUMBER.fullmatch(bare):
        raise SourceError(f"{told_by} is not one number: {shown(bare)}")
    return float(bare)
