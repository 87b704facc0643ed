"""Open and close the backends of a configuration, all or none."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event

from autoscaler.act.backend import Backend, BackendError
from autoscaler.act.dry_run import Shadow
from autoscaler.model import ProcessType
from autoscaler.settings import Settings


def connect_backends(settings: Settings, previous: Mapping[str, Backend]) -> dict[str, Backend]:
    """Connect every backend, handing each the connection of that name it replaces.

    Raises ``BackendError``; whatever was newly opened until then is closed again, and ``previous`` is left as it was.
    """
    opened: dict[str, Backend] = {}
    try:
        for name, plugin in settings.backends.items():
            opened[name] = plugin.connect(_types_of(settings, name), previous.get(name))
    except BackendError:
        close_backends(new_among(opened, previous), _at_once())
        raise
    return opened


def observe_backends(settings: Settings) -> dict[str, Backend]:
    """Open every backend to look only, for plans and dry runs: a change is answered and not made."""
    return {name: Shadow(plugin.observer(_types_of(settings, name))) for name, plugin in settings.backends.items()}


def new_among(backends: Mapping[str, Backend], others: Mapping[str, Backend]) -> dict[str, Backend]:
    """Return those of ``backends`` that are none of ``others``."""
    known = {id(backend) for backend in others.values()}
    return {name: backend for name, backend in backends.items() if id(backend) not in known}


def close_backends(backends: Mapping[str, Backend], hurry: Event) -> None:
    """Close every backend, one after another; a set ``hurry`` ends those that still drain."""
    for backend in backends.values():
        backend.close(hurry)


def _types_of(settings: Settings, backend: str) -> tuple[ProcessType, ...]:
    return tuple(one.process_type for one in settings.types if one.backend == backend)


def _at_once() -> Event:
    event = Event()
    event.set()
    return event
