"""Find what a process type is called in an engine, and which of its keys mean nothing there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from autoscaler.model import ProcessType

TYPE = "{type}"


def fill(template: str, name: str) -> str:
    """Put the name of a process type into a template such as ``shop-{type}``."""
    return template.replace(TYPE, name)


def names_there(process_types: Iterable[ProcessType], template: str, names: Mapping[str, str]) -> dict[str, str]:
    """Return what each process type is called in the engine; ``names`` says what stands for ``{type}`` where it is not the type's own name."""
    return {each.name: fill(template, names.get(each.name, each.name)) for each in process_types}


def find_name_mistakes(process_types: Iterable[ProcessType], template: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (process type, sentence) for each two types that would be one and the same there, and for names of no type."""
    process_types = tuple(process_types)
    yield from find_strangers(process_types, names)
    first: dict[str, str] = {}
    for name, there in names_there(process_types, template, names).items():
        if there in first:
            yield name, f"is {there} there, and so is {first[there]}; write {TYPE} into the template, or another name under names"
        first.setdefault(there, name)


def find_strangers(process_types: Iterable[ProcessType], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (name, sentence) for each key of ``names`` that is no process type of this backend."""
    for name in names.keys() - {each.name for each in process_types}:
        yield name, "stands under names of the backend, and is no process type that runs there; add it under formation:, or remove it there"


def find_foreign_keys(process_types: Iterable[ProcessType], engine: str) -> Iterator[tuple[str, str]]:
    """Yield (process type, sentence) for each key that only a process started by the controller itself can have."""
    for each in process_types:
        for key, has in (
            ("command", each.command is not None),
            ("socket", each.socket != "none"),
            ("listen", each.listen is not None),
            ("ready", each.ready != "lived"),
            ("environment", bool(each.environment)),
        ):
            if has:
                yield each.name, f"{key} is not for {engine}, which has its own description of how processes run; remove it"
