"""Open and close the backends of a configuration, all or none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from threading import Event, Thread

from autoscaler.act.backend import Backend
from autoscaler.act.dry_run import Shadow
from autoscaler.loop.guard import guard
from autoscaler.model import ProcessType
from autoscaler.settings import Settings


def connect_backends(settings: Settings, previous: Mapping[str, Backend]) -> dict[str, Backend]:
    """Connect every backend, handing each the connection of that name it replaces.

    Those that replace none come first: they may fail before anything that runs is touched. Raises ``BackendError``; whatever
    was newly opened until then is closed again.
    """
    opened: dict[str, Backend] = {}
    with ExitStack() as undone:
        undone.callback(lambda: close_backends(new_among(opened, previous), _at_once()))
        for name in sorted(settings.backends, key=lambda name: name in previous):
            opened[name] = settings.backends[name].connect(_types_of(settings, name), previous.get(name))
        undone.pop_all()
    return {name: opened[name] for name in settings.backends}


def observe_backends(settings: Settings) -> dict[str, Backend]:
    """Open every backend to look only, for plans and dry runs: a change is answered and not made."""
    opened: dict[str, Backend] = {}
    with ExitStack() as undone:
        undone.callback(lambda: close_backends(opened, _at_once()))
        for name, plugin in settings.backends.items():
            opened[name] = Shadow(plugin.observer(_types_of(settings, name)))
        undone.pop_all()
    return opened


def new_among(backends: Mapping[str, Backend], others: Mapping[str, Backend]) -> dict[str, Backend]:
    """Return those of ``backends`` that are none of ``others``."""
    known = {id(backend) for backend in others.values()}
    return {name: backend for name, backend in backends.items() if id(backend) not in known}


def close_backends(backends: Mapping[str, Backend], hurry: Event) -> dict[str, str]:
    """Close every backend, side by side, since each may drain; return what failed, by backend.

    A set ``hurry`` ends those that still drain.
    """
    troubles: dict[str, str] = {}
    threads = [Thread(target=_close, args=(name, backend, hurry, troubles), name="close", daemon=True) for name, backend in backends.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return troubles


def _close(name: str, backend: Backend, hurry: Event, troubles: dict[str, str]) -> None:
    guard(lambda: backend.close(hurry), partial(troubles.__setitem__, name))


def _types_of(settings: Settings, backend: str) -> tuple[ProcessType, ...]:
    return tuple(one.process_type for one in settings.types if one.backend == backend)


def _at_once() -> Event:
    event = Event()
    event.set()
    return event
