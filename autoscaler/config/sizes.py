"""Read sizes of memory such as ``512M`` and ``2G``."""

from __future__ import annotations

import re

from pydantic import ValidationInfo

from autoscaler.config.readers import read_text, rejected, typed
from autoscaler.config.wording import show, unlike

PATTERN = r"[0-9]+(\.[0-9]+)?[KMGT]i?B?"
_SIZE = re.compile(r"(?P<amount>[0-9]+(\.[0-9]+)?)(?P<unit>[KMGT])i?B?")
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
_EXAMPLES = "512M or 2G"


def read_size(value: object, info: ValidationInfo) -> int:
    """Read a size in bytes; the units are powers of 1024, as systemd's are."""
    typed(value)  # for a reference that has no text
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise rejected(f"{show(value)} has no unit; write a size such as {_EXAMPLES}")
    if not isinstance(value, str):
        raise rejected(unlike(value, "a size", _EXAMPLES))
    found = _SIZE.fullmatch(read_text(value, info).strip())
    size = round(float(found["amount"]) * 1024 ** _POWERS[found["unit"]]) if found else 0
    if size < 1:
        raise rejected(f"{show(value)} is not a size; write one such as {_EXAMPLES}")
    return size
