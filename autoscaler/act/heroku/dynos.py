"""Count the dynos of one process type; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from autoscaler.act.heroku.wire import Dyno
from autoscaler.act.remote.engine import Sighting
from autoscaler.model import Counts, Process, ProcessState

_STATES: Mapping[str, ProcessState] = {"up": "running", "idle": "running", "starting": "starting", "crashed": "failed", "down": "failed"}
_NUMBER = re.compile(r"\.([1-9][0-9]{0,8})")


def sight(name: str, quantity: int, dynos: Iterable[Dyno]) -> Sighting:
    """Return what runs of the process type that Heroku calls ``name``, of which ``quantity`` dynos should run.

    A crashed dyno is one that keeps crashing: after the first crash Heroku starts it again at once. A dyno with a number above the
    quantity was scaled in and is ending; those of the Fir generation carry no numbers, so there nothing drains. A dyno that is not
    listed yet is starting. An idle dyno sleeps until a request wakes it, and counts as running.
    """
    own = [dyno for dyno in dynos if dyno.type == name]
    listed = [Process(dyno.name, _state(dyno, name, quantity)) for dyno in own]
    processes = [*listed, *_unlisted(name, quantity, listed)]
    tally = Counter(each.state for each in processes)
    idle = sum(dyno.state == "idle" for dyno in own)
    return Sighting(
        counts=Counts(quantity, tally["running"], tally["starting"], tally["draining"], tally["failed"], tally["unknown"]),
        processes=tuple(processes),
        crashing=sum(dyno.state == "crashed" and each.state == "failed" for dyno, each in zip(own, listed, strict=True)),
        notes=(f"{idle} of the running {name} sleep until a request wakes them",) if idle else (),
    )


def _state(dyno: Dyno, name: str, quantity: int) -> ProcessState:
    number = _NUMBER.fullmatch(dyno.name.removeprefix(name))
    if number and int(number[1]) > quantity:
        return "draining"
    return _STATES.get(dyno.state, "unknown")


def _unlisted(name: str, quantity: int, listed: list[Process]) -> list[Process]:
    """Return the dynos that should run and are not listed yet, by the lowest numbers that are free."""
    missing = quantity - sum(each.state != "draining" for each in listed)
    taken = {each.name for each in listed}
    free = [f"{name}.{number}" for number in range(1, quantity + 1) if f"{name}.{number}" not in taken]
    return [Process(each, "starting") for each in free[: max(0, missing)]]
