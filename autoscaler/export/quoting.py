"""Write words and values so that systemd reads them back as they were (systemd.syntax(7), systemd.service(5))."""

from __future__ import annotations

import re

_MILLISECONDS = 1000
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "%": "%%"}
_SPECIAL = re.compile(r"[\x00-\x1f\x7f\\%]")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def escape_specifiers(text: str) -> str:
    """Double the ``%`` of a value that systemd takes as it stands, such as a path."""
    return text.replace("%", "%%")


def quote_assignment(key: str, value: str) -> str:
    """Write a variable for ``Environment=``, where ``$`` means nothing."""
    written = _escape(value, '"')
    return f'"{key}={written}"'


def quote_word(word: str) -> str:
    """Write one word of a command line, where ``$`` would begin a variable of systemd's own."""
    return escape_specifiers(word) if _PLAIN.fullmatch(word) else f"'{escape_command(word)}'"


def escape_command(command: str) -> str:
    """Write a shell command for the inside of a word between single quotes."""
    return _escape(command, "'").replace("$", "$$")


def write_seconds(seconds: float) -> str:
    """Write a time span to the millisecond; zero, which systemd takes for infinity, becomes the shortest one."""
    milliseconds = max(1, round(seconds * _MILLISECONDS))
    return f"{milliseconds}ms" if milliseconds % _MILLISECONDS else f"{milliseconds // _MILLISECONDS}s"


def _escape(text: str, quote: str) -> str:
    return _SPECIAL.sub(_escaped, text).replace(quote, f"\\{quote}")


def _escaped(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0], f"\\x{ord(match[0]):02x}")
