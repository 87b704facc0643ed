"""Read the configuration under test: a part of the scenario, or a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autoscaler.config.build import build
from autoscaler.config.document import Document
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.part import Part
from autoscaler.config.places import KeyPath, Place, path_text
from autoscaler.config.wording import unlike
from autoscaler.settings import Settings
from autoscaler_simulations.replay.configuration import load_file

_NO_BACKEND: dict[str, object] = {"backend": {"dry_run": {}}}


class SeveralFilesError(ConfigurationError):
    """Several files cannot be used; the text has the lines of each, one file after the other."""

    def __init__(self, errors: Sequence[ConfigurationError]) -> None:
        """Keep the mistakes of all files under the name of the first."""
        super().__init__(errors[0].name, [mistake for error in errors for mistake in error.mistakes])
        self.args = ("\n".join(map(str, errors)),)


@dataclass(frozen=True, slots=True)
class Configured:
    """The settings, or what is wrong with the configuration beside what the scenario's own report holds."""

    settings: Settings | None
    errors: tuple[ConfigurationError, ...] = ()


def read_configuration(part: Part, folder: Path, environment: Mapping[str, str]) -> Configured:
    """Read what stands under ``configuration:``; the name of a file is taken from ``folder``.

    Nothing is read from a source or done by a backend: a file needs neither the variables nor the packages of these, and a
    configuration within the scenario need not name a backend.
    """
    if isinstance(part.data, dict):
        return _inline(part, part.data)
    if isinstance(part.data, str):
        return _file(part, folder / part.data, environment)
    if part.data is None and not part.report.is_wrong(part.path):
        part.report.missing(part.path, "missing; write a configuration of the autoscaler here, or the name of its file, such as autoscaler.yaml")
    elif part.data is not None:
        part.report.at_value(part.path, unlike(part.data, "a mapping or the name of a file", "autoscaler.yaml"))
    return Configured(None)


def _file(part: Part, path: Path, environment: Mapping[str, str]) -> Configured:
    try:
        return Configured(load_file(path, environment))
    except ConfigurationError as error:
        if any(mistake.line for mistake in error.mistakes):
            return Configured(None, (error,))
        for mistake in error.mistakes:
            part.report.at_value(part.path, mistake.said_of(error.name))
        return Configured(None)


def _inline(part: Part, data: dict[str, object]) -> Configured:
    document = part.report.document
    broken = frozenset(path[1:] for path in document.broken if path[:1] == part.path)
    filled = data if {"backend", "backends"} & data.keys() else {**data, **_NO_BACKEND}
    written = document.written["configuration"] if isinstance(document.written, dict) else None
    keys, values = _below(part.path, document.keys), _below(part.path, document.values)
    inner = Document(name=document.name, written=written, data=filled, keys=keys, values=values, broken=broken)
    try:
        settings = build(inner, part.registry, None, part.surroundings.folder)
    except ConfigurationError as error:
        mistakes = [replace(mistake, path=_full(part.path, mistake.path)) for mistake in error.mistakes]
        return Configured(None, (ConfigurationError(error.name, mistakes),))
    return Configured(None if broken else settings)


def _below(above: KeyPath, places: Mapping[KeyPath, Place]) -> dict[KeyPath, Place]:
    return {path[1:]: place for path, place in places.items() if path[:1] == above}


def _full(above: KeyPath, path: str) -> str:
    return f"{path_text(above)}.{path}" if path else path_text(above)
