"""Turn what the log tells into lines: for people, as logfmt, or as JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog

from autoscaler.cli.line_writer import LineWriter

LogFormat = Literal["auto", "console", "json", "logfmt"]
Level = Literal["info", "warning", "error"]
Logger = structlog.typing.FilteringBoundLogger

_COLOURS = {"info": "", "warning": "\x1b[33m", "error": "\x1b[31m"}
_PRIORITIES = {"info": 6, "warning": 4, "error": 3}  # of syslog
_TEXT = "text"  # the sentence for people; the other formats carry its parts instead

# Any: structlog's own types of a processor.
_Fields = MutableMapping[str, Any]


def open_logger(writer: LineWriter, log_format: LogFormat, descriptor: int, environment: Mapping[str, str]) -> Logger:
    """Return a logger that writes to ``writer``, whose ``descriptor`` decides on colour and on ``auto``."""
    is_terminal, is_journal = os.isatty(descriptor), _is_journal(descriptor, environment)
    if log_format == "auto":
        log_format = "console" if is_terminal or is_journal else "logfmt"
    if log_format == "console":
        processors: list[structlog.typing.Processor] = [_Console(is_terminal and "NO_COLOR" not in environment, is_journal)]
    else:
        renderer = (
            structlog.processors.JSONRenderer()
            if log_format == "json"
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
        )
        processors = [_without_text, structlog.processors.add_log_level, structlog.processors.TimeStamper("iso"), renderer]
    logger: Logger = structlog.wrap_logger(writer, processors, wrapper_class=structlog.make_filtering_bound_logger("info"))
    return logger


class _Console:
    """Writes one sentence a line, with the time of day, or with a priority where the journal keeps the time."""

    def __init__(self, has_colour: bool, is_journal: bool) -> None:  # noqa: FBT001 - named by the only caller
        self._has_colour = has_colour
        self._is_journal = is_journal

    def __call__(self, logger: LineWriter, level: str, fields: _Fields) -> str:
        del logger
        text = _printable(str(fields.get(_TEXT) or fields["event"]))
        if self._is_journal:
            return f"<{_PRIORITIES[level]}>{text}"
        mark = "" if level == "info" else f"{level}: "
        line = f"{time.strftime('%H:%M:%S')} {mark}{text}"
        return f"{_COLOURS[level]}{line}\x1b[0m" if self._has_colour and _COLOURS[level] else line


def _without_text(logger: LineWriter, level: str, fields: _Fields) -> _Fields:
    del logger, level
    fields.pop(_TEXT, None)
    return fields


def _printable(text: str) -> str:
    """Keep a stranger's answer from moving the cursor or faking a line."""
    return "".join(character if character.isprintable() else " " for character in text)


def _is_journal(descriptor: int, environment: Mapping[str, str]) -> bool:
    """Whether a descriptor is the journal's: the variable alone is inherited by whatever a service starts."""
    found = os.fstat(descriptor)
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
