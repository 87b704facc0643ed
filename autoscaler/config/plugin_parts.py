"""Make the plug-in that a mapping of the file names by one of its keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from autoscaler.config.annotations import UnreadableFieldError
from autoscaler.config.derive import model_of, options_of
from autoscaler.config.part import Part
from autoscaler.config.plugins import PLUGIN_FAILURES, PluginError
from autoscaler.config.reading import read_plugin
from autoscaler.config.substitution import hide
from autoscaler.config.wording import names, suggest, unlike

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Choice:
    """A group of plug-ins, as one mapping of the file chooses from it."""

    group: str
    noun: str  # such as "source"
    beside: type | None = None  # the section whose keys may stand beside the plug-in's

    @property
    def beside_keys(self) -> tuple[str, ...]:
        """List the keys that are no plug-in."""
        return tuple(option.key for option in options_of(self.beside)) if self.beside else ()


def split(choice: Choice, part: Part) -> tuple[Part | None, dict[str, object]]:
    """Split a mapping into the part of its one plug-in, whose path ends in its name, and what stands beside it."""
    if not isinstance(part.data, dict):
        installed = part.registry.names(choice.group)
        part.report.at_value(part.path, unlike(part.data, "a mapping", f"one {choice.noun} with its keys, such as `{_example(installed)}: {{...}}`"))
        return None, {}
    beside = {key: value for key, value in part.data.items() if key in choice.beside_keys}
    found = _only(choice, part, [key for key in part.data if key not in beside])
    return (part.at(found, part.data[found]) if found is not None else None), beside


def _example(installed: tuple[str, ...]) -> str:
    return installed[0] if installed else "name"


def _only(choice: Choice, part: Part, keys: list[str]) -> str | None:
    """Choose the key that names a plug-in, and report the others."""
    installed = part.registry.names(choice.group)
    known = [key for key in keys if key in installed]
    if not keys:
        part.report.at_key(part.path, f"names no {choice.noun}; add one of {names(installed)}")
        return None
    if not known and len(keys) == 1:
        return keys[0]  # loading it says what is installed
    for key in keys:
        if key not in known:
            part.report.at_key((*part.path, key), f"unknown key; {suggest(key, (*choice.beside_keys, *installed))}")
    for key in known[1:]:
        part.report.at_key((*part.path, key), f"stands beside {known[0]}; keep one {choice.noun}, and give the other an entry of its own")
    return known[0] if known else None


def make(choice: Choice, part: Part) -> object | None:
    """Make the plug-in that the last key of the path names; ``None`` when something is wrong, which the report then holds.

    A plug-in may offer ``located(folder)``, which returns it with its relative names taken from the configuration's folder, and
    ``warnings()``, sentences on what works and may surprise.
    """
    try:
        plugin = part.registry.load_class(choice.group, str(part.path[-1]))
        model_of(plugin)
    except (PluginError, UnreadableFieldError) as error:
        part.report.at_key(part.path, str(error))
        return None
    made: object | None = read_plugin(plugin, part)
    located, warnings = getattr(made, "located", None), getattr(made, "warnings", None)
    sentences: tuple[str, ...] = ask(part, warnings, ()) if warnings else ()
    for sentence in sentences:
        part.report.warn(part.path, hide(sentence, part.data))
    return ask(part, lambda: located(part.surroundings.folder), made) if located else made


def ask(part: Part, question: Callable[[], Answer], otherwise: Answer) -> Answer:
    """Ask a plug-in something about itself; an exception in it becomes a mistake at its place."""
    try:
        return question()
    except PLUGIN_FAILURES as error:
        said = hide(f"{type(error).__name__}: {error}", part.data)
        part.report.at_key(part.path, f"the plug-in failed with {said}; report it to its author")
        return otherwise
