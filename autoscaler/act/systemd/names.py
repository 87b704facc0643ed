"""Name the units of a process type, and read their numbers back: the layouts of Foreman, honcho and hand-written units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise, permutations

from autoscaler.act.ports import Ports, find_port_mistakes
from autoscaler.model import ProcessType

DEFAULT_PATTERN = "app-{type}@{n}.service"
_SUFFIX = ".service"
_TEXT = r"[A-Za-z0-9:_.\\-]"  # what systemd.unit(5) allows in a name, but for the @ of a template
_PATTERN = re.compile(rf"(?:{_TEXT}+|{_TEXT}*\{{type\}}{_TEXT}*)@?\{{(?:n|port)\}}(?:\.service)?")
_LONGEST_NAME = 255
_HIGHEST_NUMBER = 999_999  # a longer instance name is no number of a process


@dataclass(frozen=True, slots=True)
class TypeUnits:
    """The units of one process type: ``prefix``, a number counted from ``first``, ``suffix``."""

    prefix: str
    first: int = 1
    room: int | None = None  # numbers there are at all; None: no limit
    suffix: str = _SUFFIX

    @property
    def glob(self) -> str:
        """Return the shell pattern that all of them match; others may match it too."""
        return f"{self.prefix}*{self.suffix}"

    @property
    def template(self) -> str | None:
        """Return the file that all of them are instances of; None when each has a file of its own."""
        return f"{self.prefix}{self.suffix}" if self.prefix.endswith("@") else None

    def unit_of(self, number: int) -> str:
        """Return the unit of process ``number``, counted from 1."""
        return f"{self.prefix}{self.first + number - 1}{self.suffix}"

    def number_of(self, unit: str) -> int | None:
        """Return the number of the process that a unit is; None for a unit that is none of this type."""
        middle = unit.removeprefix(self.prefix).removesuffix(self.suffix)
        if not re.fullmatch(r"[1-9][0-9]{0,5}", middle) or unit != f"{self.prefix}{middle}{self.suffix}":
            return None
        number = int(middle) - self.first + 1
        return number if 1 <= number <= (self.room or _HIGHEST_NUMBER) else None


def check_pattern(pattern: str) -> None:
    """Raise ``ValueError`` unless units can be named by the pattern."""
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(
            f"unit {pattern!r} names no units; write {{type}} and, as its last part, {{n}} or {{port}}, such as app-{{type}}@{{n}}.service"
        )


def find_name_mistakes(pattern: str, ports: Ports, process_types: tuple[ProcessType, ...]) -> list[tuple[str, str]]:
    """Return (process type, sentence) for types that would share units, or whose ports would meet."""
    found = [] if "{port}" not in pattern else list(find_port_mistakes(ports, process_types))
    if "{type}" not in pattern:
        found += [
            (later.name, f"unit {pattern!r} has no {{type}}, so {first.name} and {later.name} would be the same units; add it")
            for first, later in pairwise(process_types)
        ]
    prefixes = {each.name: pattern.replace("{type}", each.name).partition("{")[0] for each in process_types}
    for (first, start), (second, longer) in permutations(prefixes.items(), 2):
        if longer.startswith(start) and longer.removeprefix(start).isdecimal():
            found.append((second, f"its units would be some of {first}'s by unit {pattern!r}; write - or @ before the number"))
    long = [each for each in process_types if len(pattern.replace("{type}", each.name)) > _LONGEST_NAME]
    return found + [(each.name, f"its unit names would be longer than {_LONGEST_NAME} characters; shorten the name or the pattern") for each in long]


def name_units(pattern: str, ports: Ports, process_type: ProcessType, index: int) -> TypeUnits:
    """Return how the units of the type at ``index`` (from 0) of the configuration are named."""
    prefix, _, variable = pattern.removesuffix(_SUFFIX).replace("{type}", process_type.name).rpartition("{")
    if variable == "n}":
        return TypeUnits(prefix)
    return TypeUnits(prefix, ports.port_of(index, 1), ports.room(process_type, index))
