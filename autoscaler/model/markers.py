"""The markers of plug-in fields, which tell the configuration how to read a value from the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True)
class Seconds:
    """A duration such as ``30s``; the field ends in ``_seconds``, its key in the file does not."""

    allow_zero: bool = False


@dataclass(frozen=True, slots=True)
class ByteSize:
    """A size such as ``512M`` or ``2G`` (powers of 1024); the field ends in ``_bytes``, its key in the file does not."""


@dataclass(frozen=True, slots=True)
class MetricName:
    """The name of an entry under ``metrics:``."""


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within bounds; ``above`` is exclusive."""

    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class FilePath:
    """A path; a relative one is taken from the folder of the configuration file."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is never printed, logged or recorded; in the file it must come from ``${NAME}``."""


@dataclass(frozen=True, slots=True)
class Help:
    """One line on the field, shown by the schema and in error messages."""

    text: str


Duration = Annotated[float, Seconds()]
DurationOrZero = Annotated[float, Seconds(allow_zero=True)]
Bytes = Annotated[int, ByteSize()]
Metric = Annotated[str, MetricName()]
Positive = Annotated[float, Number(above=0)]
Ratio = Annotated[float, Number(at_least=0, at_most=1)]
Processes = Annotated[int, Number(at_least=0)]
PathName = Annotated[str, FilePath()]
SecretText = Annotated[str, Secret()]
