"""Read a Procfile: one ``type: command`` a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from autoscaler.model import AutoscalerError

_ENTRY = re.compile(r"([A-Za-z0-9_-]+):(.*)", re.DOTALL)
_SHOWN_CHARACTERS = 40


class ProcfileError(AutoscalerError):
    """A Procfile that cannot be used; the text names every line at fault."""


@dataclass(frozen=True, slots=True)
class Procfile:
    """The commands of a Procfile by process type, in the order of the file, and what was ignored in it."""

    commands: Mapping[str, str]
    warnings: tuple[str, ...] = ()  # such as "line 3: ..."


def parse_procfile(text: str) -> Procfile:
    """Read the entries of a Procfile's text.

    Blank lines and ``#`` lines are skipped, any other line that is no entry is ignored with a warning. A byte order mark and
    carriage returns at line ends do no harm. Raise ``ProcfileError`` for duplicates, NUL bytes and a file without entries.
    """
    commands: dict[str, str] = {}
    first_lines: dict[str, int] = {}
    warnings: list[str] = []
    errors: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        name, command, warning = _read_line(line)
        if warning:
            warnings.append(f"line {number}: {warning}")
        elif name in first_lines:
            errors.append(f"line {number}: duplicate process type '{name}' (first on line {first_lines[name]})")
        elif "\0" in command:
            errors.append(f"line {number}: the command of '{name}' holds a NUL byte; remove it")
        elif name:
            commands[name] = command
            first_lines[name] = number
    if not commands and not errors:
        errors.append("no process types: write lines such as 'web: python server.py'")
    if errors:
        raise ProcfileError("; ".join(errors))
    return Procfile(MappingProxyType(commands), tuple(warnings))


def read_procfile(path: Path) -> Procfile:
    """Read the Procfile at ``path``; every error and warning begins with the path. Bytes that are no UTF-8 reach the command unchanged."""
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        found = parse_procfile(text)
    except OSError as error:
        raise ProcfileError(f"{path}: cannot be read: {error.strerror}") from error
    except ProcfileError as error:
        raise ProcfileError(f"{path}: {error}") from error
    return Procfile(found.commands, tuple(f"{path}: {warning}" for warning in found.warnings))


def _read_line(line: str) -> tuple[str, str, str]:
    """Return the name, the command and the warning of one line; all empty for one to skip."""
    if not line.strip() or line.startswith("#"):
        return "", "", ""
    entry = _ENTRY.fullmatch(line)
    if entry is None:
        return "", "", f"ignored, no 'type: command' with a type of letters, digits, '_' and '-': {_shorten(line)}"
    name, command = entry[1], entry[2].strip()
    if not command:
        return "", "", f"ignored, '{name}' has no command"
    return name, command, ""


def _shorten(line: str) -> str:
    """Quote the beginning of a line, with everything unprintable escaped."""
    stripped = line.strip()
    return repr(stripped if len(stripped) <= _SHOWN_CHARACTERS else stripped[:_SHOWN_CHARACTERS] + "...")
