"""Read ``backend:`` or ``backends:`` into backend plug-ins by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from autoscaler.act.backend import BackendPlugin
from autoscaler.config.part import Part
from autoscaler.config.plugin_parts import Choice, make, split
from autoscaler.config.plugins import BACKENDS
from autoscaler.config.schema import FileSection
from autoscaler.config.substitution import Substituted
from autoscaler.config.wording import names, show, suggest, unlike

ONLY = "default"  # the name of the one backend that `backend:` says
_CHOICE = Choice(BACKENDS, "backend")
_LOCAL: dict[str, object] = {"local": {"procfile": "Procfile"}}


@dataclass(frozen=True, slots=True)
class Backends:
    """The backends of a file: all names, where each stands, and those that could be made."""

    parts: Mapping[str, Part]
    plugins: Mapping[str, BackendPlugin] = field(default_factory=dict)

    def choose(self, named: str | None, part: Part) -> str:
        """Return the name of a type's backend; report one that does not exist, or a choice that was not made."""
        known = tuple(self.parts)
        if named is None and len(known) != 1:
            if known:
                part.report.at_key(part.path, f"says no backend, and there are {names(known)}; add one of them as `backend:`")
            return ONLY
        if named is not None and named not in known:
            only = "there is no choice; remove it, or name several backends under `backends:`"
            said = only if known == (ONLY,) else f"{part.shown('backend', repr(named))} is not under `backends:`; {suggest(named, known)}"
            part.report.at_value((*part.path, "backend"), said)
        return named or known[0]


def read_backends(section: FileSection, part: Part) -> Backends:
    """Make every backend of the file; mistakes go to the report."""
    parts = _parts(section, part)
    made = {name: make(_CHOICE, plugin) for name, plugin in parts.items() if plugin is not None}
    plugins = {name: cast("BackendPlugin", plugin) for name, plugin in made.items() if plugin is not None}
    return Backends({name: plugin or part.at("backends", None).at(name, None) for name, plugin in parts.items()}, plugins)


def _parts(section: FileSection, part: Part) -> dict[str, Part | None]:
    if section.backends is None:
        return {ONLY: _plugin_part(part.at("backend", section.backend if section.backend is not None else _LOCAL))}
    several = part.at("backends", section.backends)
    if section.backend is not None:
        part.report.at_key((*part.path, "backend"), "stands beside backends; keep one of the two")
    if not isinstance(section.backends, dict) or not section.backends:
        part.report.at_value(several.path, unlike(section.backends or None, "a mapping", "a name for each backend, as in `vm: {local: {}}`"))
        return {}
    return {name: _plugin_part(several.at(name, data)) for name, data in section.backends.items()}


def _plugin_part(part: Part) -> Part | None:
    """Find the plug-in of a mapping, or take a bare name for a plug-in without keys."""
    if isinstance(part.data, str) and not isinstance(part.data, Substituted):
        return _bare(part, part.data)
    return split(_CHOICE, part)[0]


def _bare(part: Part, name: str) -> Part | None:
    installed = part.registry.names(BACKENDS)
    if name in installed:
        return part.at(name, None)
    part.report.at_value(part.path, f"{show(name)} is no backend; {suggest(name, installed)}")
    return None
