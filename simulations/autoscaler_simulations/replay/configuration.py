"""Load a configuration to decide by, without what it reads from or acts on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from autoscaler.act.backend import Backend, BackendError
from autoscaler.config import ConfigurationError, Mistake
from autoscaler.config.build import build
from autoscaler.config.document import Document, parse
from autoscaler.config.loading import from_procfile, read_file
from autoscaler.config.plugins import BACKENDS, POLICIES, SOURCES, Plugin, Registry, installed
from autoscaler.config.substitution import substitute
from autoscaler.model import Json, ProcessType, Reading
from autoscaler.observe.source import Poll, SourceError
from autoscaler.settings import Settings

PLACEHOLDER = "placeholder"  # stands for a variable that is not set; no source, backend or process ever gets it

_STAND_IN = "recorded"
_PROCFILE = "Procfile"
_REFERENCE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LISTENER = ("listen", "listen_token", "listen_certificate", "listen_key")


def load_file(path: Path, environment: Mapping[str, str]) -> Settings:
    """Load a configuration file or a Procfile to decide by; its backends need not be here, nor the variables that only they need.

    Raises ``ConfigurationError`` with every mistake.
    """
    if path.name == _PROCFILE or path.name.startswith(f"{_PROCFILE}."):
        return from_procfile(path)
    document = parse(read_file(path), str(path))
    return _build(document, environment, path)


def load_recorded(written: Json, name: str, environment: Mapping[str, str]) -> Settings:
    """Load the configuration that a line of the record called ``name`` holds.

    Raises ``ConfigurationError``: there is none, it is of another version, a plug-in of it is not installed, a variable is not set.
    """
    if not isinstance(written, dict):
        raise ConfigurationError(name, [Mistake(0, 0, "configuration", "the record holds none; name one with -c")])
    try:
        return _build(Document(name=name, written=written, data=written), environment, Path(name))
    except ConfigurationError as error:
        mistakes = [replace(mistake, line=0, column=0) for mistake in error.mistakes]
        raise ConfigurationError(name, mistakes) from error


def _build(document: Document, environment: Mapping[str, str], path: Path) -> Settings:
    """Build what decides; a variable that is not set is a placeholder, and named where it is refused."""
    bare = replace(document, written=_without_surroundings(document.written))
    unset = {name for text in _texts(bare.written) for name in _REFERENCE.findall(text)} - environment.keys()
    filled = substitute(bare, {**dict.fromkeys(unset, PLACEHOLDER), **environment})
    try:
        settings = build(filled, _registry(), path, path.parent.absolute())
    except ConfigurationError as error:
        _name_variables(error, unset)
    return replace(settings, document=document.written)


def _without_surroundings(written: Json) -> Json:
    """Leave out where to listen, and put stand-ins for sources and backends: names are all that decisions need of them."""
    if not isinstance(written, dict):
        return written
    kept = {key: value for key, value in written.items() if key not in (*_LISTENER, "backend")}
    for key in ("metrics", "backends"):
        if isinstance(several := kept.get(key), dict):
            kept[key] = {name: {_STAND_IN: {}} for name in several}
    only: dict[str, Json] = {} if kept.get("backends") is not None else {"backend": {_STAND_IN: {}}}
    return {**kept, **only, "listen": None}


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from _texts(item)


def _name_variables(error: ConfigurationError, unset: set[str]) -> NoReturn:
    mistakes = [replace(mistake, message=_with_variables(mistake.message, unset)) for mistake in error.mistakes]
    raise ConfigurationError(error.name, mistakes) from error


def _with_variables(message: str, unset: set[str]) -> str:
    named = [name for name in sorted(unset) if f"${{{name}}}" in message]
    return f"{message}; {' and '.join(named)} is not set in the environment: set it to what the controller had" if named else message


def _registry() -> Registry:
    """Offer the installed policies, and stand-ins for everything else."""
    known = installed()
    policies = [Plugin(POLICIES, name, "its package", partial(known.load, POLICIES, name)) for name in known.names(POLICIES)]
    return Registry([*policies, Plugin(SOURCES, _STAND_IN, "replay", lambda: _Source), Plugin(BACKENDS, _STAND_IN, "replay", lambda: _Backend)])


@dataclass(frozen=True, slots=True)
class _Source:
    """Stand for a source that was read when the record was written."""

    def read(self, poll: Poll) -> Reading:
        """Refuse: a replay has the readings of the record."""
        raise SourceError(f"{poll.metric} is not read in a replay")


@dataclass(frozen=True, slots=True)
class _Backend:
    """Stand for a backend that was observed when the record was written."""

    def connect(self, _process_types: tuple[ProcessType, ...], _previous: Backend | None) -> Backend:
        """Refuse: a replay changes no formation."""
        raise BackendError("a replay acts on no formation")

    def observer(self, _process_types: tuple[ProcessType, ...]) -> Backend:
        """Refuse: a replay has the observations of the record."""
        raise BackendError("a replay observes no formation")

    def starts_on_connection(self, _process_type: ProcessType) -> bool:
        """Agree: the backend in its place was asked when the record was written."""
        return True
