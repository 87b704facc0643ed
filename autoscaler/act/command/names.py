"""Name the processes of a type as the process manager does, and read the names back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

from autoscaler.wording import shown

_NUMBER = "{n}"
_TYPE = "{type}"
_LONGEST_NUMBER = 6  # digits; what is longer is no number of a process


class Names:
    """The names of the processes of each type, by a template such as ``{type}.{n}``."""

    def __init__(self, template: str, there: Mapping[str, str]) -> None:
        """Take the template, and what stands for ``{type}`` of each process type."""
        self._templates = {name: template.replace(_TYPE, word) for name, word in there.items()}
        self._types = {word: name for name, word in there.items()}
        self._patterns = {name: re.compile(_pattern_of(filled)) for name, filled in self._templates.items()}

    def name_of(self, process_type: str, number: int) -> str:
        """Return what a process is called there."""
        return self._templates[process_type].replace(_NUMBER, str(number))

    def type_called(self, word: str) -> str | None:
        """Return the process type that is called so there."""
        return self._types.get(word)

    def read(self, name: str) -> tuple[str, int] | None:
        """Return the process type and the number of a process, or None for one that is no process of this formation."""
        for process_type, pattern in self._patterns.items():
            if found := pattern.fullmatch(name):
                return process_type, int(found[1])
        return None


def require_template(template: str) -> None:
    """Raise ``ValueError`` unless a template names every process of every type."""
    if template.count(_NUMBER) != 1 or _TYPE not in template or not template.isprintable() or " " in template:
        raise ValueError(f"process {shown(template)} names no processes; write {{type}} and once {{n}}, such as {{type}}.{{n}}")


def find_shared_names(template: str, there: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (process type, sentence) for types of which one process would be another's too."""
    for first, second in combinations(there, 2):
        shared = _shared(template, there[first], there[second]) or _shared(template, there[second], there[first])
        if shared and there[first] != there[second]:
            yield second, f"the process {shared} would be one of {first} too by process {template!r}; write a dot or a dash before {{n}}"


def _shared(template: str, first: str, second: str) -> str | None:
    """Return a process of the second type that is one of the first as well."""
    own, other = (Names(template, {word: word}) for word in (first, second))
    return next((name for number in (1, 11) if own.read(name := other.name_of(second, number))), None)


def _pattern_of(template: str) -> str:
    before, _, after = template.partition(_NUMBER)
    return rf"{re.escape(before)}([0-9]{{1,{_LONGEST_NUMBER}}}){re.escape(after)}"
