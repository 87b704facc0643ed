"""Ask every backend what runs, and remember where its processes serve their metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from autoscaler.act.backend import Backend
from autoscaler.loop.guard import guard
from autoscaler.model import Address, Formation, TypeFormation
from autoscaler.parallel import side_by_side
from autoscaler.settings import Settings


@dataclass(frozen=True, slots=True)
class Seen:
    """What the backends answered at one tick."""

    types: Mapping[str, TypeFormation]  # of the configuration, those that were observed
    errors: Mapping[str, str]  # by process type: why it was not observed
    happenings: tuple[str, ...]


class Watch:
    """Observes the types of a configuration, each on its own backend."""

    def __init__(self, settings: Settings, backends: Mapping[str, Backend]) -> None:
        """Watch these backends."""
        self._last: dict[str, TypeFormation] = {}
        self.change(settings, backends)

    def change(self, settings: Settings, backends: Mapping[str, Backend]) -> None:
        """Watch other backends, or other types, from now on."""
        self._backends = dict(backends)
        self._hide = settings.hide
        self._types = {name: [one.name for one in settings.types if one.backend == name] for name in backends}

    def observe(self) -> Seen:
        """Ask every backend, side by side; a type that cannot be observed now is named among the errors."""
        types: dict[str, TypeFormation] = {}
        errors: dict[str, str] = {}
        happenings: tuple[str, ...] = ()
        answers = side_by_side([partial(guard, partial(self._observe, backend), str) for backend in self._backends.values()])
        for name, answer in zip(self._backends, answers, strict=True):
            if isinstance(answer, str):
                errors |= dict.fromkeys(self._types[name], f"not observed: {answer}")
                continue
            happenings += answer.happenings
            types |= {one: answer.types[one] for one in self._types[name] if one in answer.types}
            causes = {one: answer.errors.get(one, f"backend {name} does not know it") for one in self._types[name] if one not in answer.types}
            errors |= {one: f"not observed: {cause}" for one, cause in causes.items()}
        self._last = {**self._last, **types}  # replaced as a whole: polls read it meanwhile
        return Seen(types, errors, happenings)

    def addresses(self, process_type: str) -> dict[str, Address]:
        """Find where the ready processes of a type serve their metrics, as last observed."""
        seen = self._last.get(process_type)
        ready = [process for process in seen.processes if process.state == "running"] if seen else []
        return {process.name: process.metrics for process in ready if process.metrics is not None}

    def _observe(self, backend: Backend) -> Formation:
        answer: object = backend.observe()
        if not isinstance(answer, Formation):
            raise TypeError(f"it answered {answer!r}, which is no Formation")
        return replace(answer, types={name: self._without_secrets(seen) for name, seen in answer.types.items()})

    def _without_secrets(self, seen: TypeFormation) -> TypeFormation:
        """Take the configuration's secrets out of the sentences, which may repeat what an engine said."""
        if not (seen.notes or seen.obstacle or seen.unready):
            return seen
        obstacle, unready = (said and self._hide(said) for said in (seen.obstacle, seen.unready))
        return replace(seen, notes=tuple(map(self._hide, seen.notes)), obstacle=obstacle, unready=unready)
