"""Read one value of the file as a plug-in's field wants it: text, number, choice, path, secret or metric name.

A reader takes the value and pydantic's context, and returns what the field holds or raises the sentence of the mistake.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from autoscaler.config.scalars import resolve
from autoscaler.config.substitution import Substituted
from autoscaler.config.wording import names, nearest, show, unlike
from autoscaler.model import Number

Value = TypeVar("Value")
_LARGEST = 2**53  # beyond it a float, and so JSON, cannot tell whole numbers apart
Reader: TypeAlias = Callable[[object, ValidationInfo], Value]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a value may refer to beside the value itself."""

    folder: Path  # of the configuration file
    metrics: tuple[str, ...] = ()


def rejected(sentence: str) -> PydanticCustomError:
    """Make the error that carries a sentence of ours through pydantic."""
    return PydanticCustomError("rejected", "{sentence}", {"sentence": sentence})


def typed(value: object) -> object:
    """Take text from the environment for what it says: ``${COUNT}`` for a number where a number is wanted."""
    if not isinstance(value, Substituted):
        return value
    if value.problem:
        raise rejected(value.problem)
    return resolve(str(value))


def read_text(value: object, _: ValidationInfo) -> str:
    """Read text; a bare number or ``true`` needs quotes."""
    if isinstance(value, Substituted) and value.problem:
        raise rejected(value.problem)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | int | float):
        raise rejected(unlike(value, "text", f"'{show(value)}' in quotes"))
    raise rejected(unlike(value, "text", "a word"))


def read_flag(value: object, _: ValidationInfo) -> bool:
    """Read ``true`` or ``false``."""
    said = typed(value)
    if isinstance(said, bool):
        return said
    raise rejected(unlike(value, "true or false", "true or false, without quotes"))


def integer_reader(bounds: Number) -> Reader[int]:
    """Read a whole number within bounds."""

    def read(value: object, _: ValidationInfo) -> int:
        said = typed(value)
        if isinstance(said, float) and math.isfinite(said):
            raise rejected(f"{show(value)} is not a whole number; write {math.floor(said)} or {math.floor(said) + 1}")
        if isinstance(said, bool) or not isinstance(said, int):
            raise rejected(_not_a_number(value, "a whole number", "5"))
        check_bounds(value, said, bounds)
        if abs(said) > _LARGEST:
            raise rejected(f"{show(value)} is too large to be meant; write a number such as 5")
        return said

    return read


def number_reader(bounds: Number) -> Reader[float]:
    """Read a finite number within bounds."""

    def read(value: object, _: ValidationInfo) -> float:
        said = typed(value)
        if isinstance(said, bool) or not isinstance(said, int | float):
            raise rejected(_not_a_number(value, "a number", "0.5"))
        number = _finite(said)
        if number is None:
            raise rejected(f"{show(value)} is not a finite number; write one such as 0.5")
        check_bounds(value, number, bounds)
        return number

    return read


def _finite(said: float) -> float | None:
    try:
        number = float(said)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _not_a_number(value: object, wanted: str, example: str) -> str:
    if isinstance(value, str) and not isinstance(value, Substituted) and isinstance(resolve(value), int | float):
        return f"{show(value)} is text, not {wanted}; write {value} without quotes"
    return unlike(value, wanted, f"a number such as {example}")


def _plain(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"


def check_bounds(value: object, said: float, bounds: Number, write: Callable[[float], str] = _plain) -> None:
    """Raise the sentence of the bound that a number breaks; ``write`` writes the bound."""
    if bounds.above is not None and not said > bounds.above:
        raise rejected(f"{show(value)} is not above {write(bounds.above)}; write more than {write(bounds.above)}")
    if bounds.at_least is not None and not said >= bounds.at_least:
        raise rejected(f"{show(value)} is below {write(bounds.at_least)}; write at least {write(bounds.at_least)}")
    if bounds.at_most is not None and not said <= bounds.at_most:
        raise rejected(f"{show(value)} is above {write(bounds.at_most)}; write at most {write(bounds.at_most)}")


def choice_reader(choices: tuple[object, ...]) -> Reader[object]:
    """Read one of a few words, numbers or flags."""

    def read(value: object, _: ValidationInfo) -> object:
        for said in (str(value) if isinstance(value, Substituted) else value, typed(value)):
            for choice in choices:
                if type(choice) is type(said) and choice == said:
                    return choice
        words = [choice if isinstance(choice, str) else show(choice) for choice in choices]
        near = nearest(value, words) if isinstance(value, str) and not isinstance(value, Substituted) else ""
        raise rejected(f"{show(value)} is not one of {names(words)}; {near or 'write one of them'}")

    return read


def read_path(value: object, info: ValidationInfo) -> str:
    """Read a path; a relative one is taken from the folder of the configuration file."""
    path = read_text(value, info)
    if not path or "\0" in path:
        raise rejected(f"{show(value)} is no path; write the name of a file")
    return str(surroundings(info).folder / path)


def read_secret(value: object, info: ValidationInfo) -> str:
    """Read a secret, which has to come from the environment; the error never repeats it."""
    if not isinstance(value, Substituted) or value.defaults:
        raise rejected("write it as ${NAME}, a secret does not belong in the file")
    text = read_text(value, info)
    if not text or not value.values:
        raise rejected(f"{show(value)} is empty in the environment; set it to the secret")
    return text


def read_metric_name(value: object, info: ValidationInfo) -> str:
    """Read the name of an entry under ``metrics:``."""
    name = read_text(value, info)
    known = surroundings(info).metrics
    if name not in known:
        listed = f"{nearest(name, known)} the metrics are {names(known)}" if known else "add it there"
        raise rejected(f"{show(value)} is not under `metrics:`; {listed.strip()}")
    return name


def surroundings(info: ValidationInfo) -> Surroundings:
    """Return what the value may refer to."""
    return info.context if isinstance(info.context, Surroundings) else Surroundings(Path())
