"""Read a mapping of the file into a frozen dataclass, and tell every mistake at its place."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from autoscaler.config.annotations import TAG
from autoscaler.config.derive import construct, keys_at, model_of, options_of
from autoscaler.config.part import Part
from autoscaler.config.substitution import hide
from autoscaler.config.wording import names, suggest, unlike

Value = TypeVar("Value")


def read_plugin(plugin: type[Value], part: Part) -> Value | None:
    """Make a plug-in from its mapping; ``None`` when anything in it is wrong, which the report then holds."""
    value, _ = _read(plugin, part, _as_mapping(plugin, part))
    return value


def read_section(section: type[Value], part: Part) -> Value:
    """Make a section of the file from its mapping; a wrong key is reported and left out, so that the rest can be checked.

    Every field of a section has a default.
    """
    data = _as_mapping(section, part) or {}
    value, wrong = _read(section, part, data)
    if value is not None:
        return value
    rest = {key: item for key, item in data.items() if key not in wrong}
    return construct(section, model_of(section).model_validate(rest, context=part.surroundings))


def _as_mapping(plugin: type, part: Part) -> dict[str, object] | None:
    if part.data is None:
        return {}
    if isinstance(part.data, dict):
        return part.data
    keys = names(option.key for option in options_of(plugin))
    part.report.at_value(part.path, unlike(part.data, "a mapping", f"the keys {keys} with their values" if keys else "{}"))
    return None


def _read(plugin: type[Value], part: Part, data: dict[str, object] | None) -> tuple[Value | None, set[str | int]]:
    if data is None:
        return None, set()
    try:
        model = model_of(plugin).model_validate(data, context=part.surroundings)
        return construct(plugin, model), set()
    except PydanticCustomError as error:
        part.report.at_key(part.path, hide(str(error), part.data))
        return None, set()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        for detail in details:
            _tell(plugin, part, detail)
        return None, {detail["loc"][0] for detail in details if detail["loc"]}


def _tell(plugin: type, part: Part, detail: ErrorDetails) -> None:
    location = _location(detail["loc"], part.data)
    path, report = (*part.path, *location), part.report
    if detail["type"] == "extra_forbidden":
        options, key = keys_at(plugin, location[:-1]), str(location[-1])
        meant = next((option.key for option in options if option.field == key), None)
        said = f"did you mean {meant}?" if meant else suggest(key, [option.key for option in options])
        report.at_key(path, f"unknown key; {said}")
    elif detail["type"] == "missing":
        help_text = next((option.help for option in keys_at(plugin, location[:-1]) if option.key == location[-1]), "")
        report.missing(path, f"missing; add {location[-1]}{f' ({help_text})' if help_text else ''}")
    elif detail["type"] == "refused":
        report.at_key(path, hide(detail["ctx"]["sentence"], part.data))
    else:
        report.at_value(path, detail["ctx"]["sentence"])


def _location(location: tuple[str | int, ...], data: object) -> tuple[str | int, ...]:
    """Drop the tags that pydantic puts among the keys, but not a key that looks like one."""
    kept: list[str | int] = []
    for each in location:
        items: dict[str | int, object] = data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        if each in items or not str(each).startswith(TAG):
            kept.append(each)
            data = items.get(each)
    return tuple(kept)
