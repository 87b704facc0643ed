"""Keep what is known of the units of one systemd."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import translate
from typing import Any

from autoscaler.act.systemd.values import Unit

_JOB_PATH = re.compile(r"/org/freedesktop/systemd1/job/[0-9]+")
_FIELDS = {
    "ActiveState": ("active_state", "s"),
    "SubState": ("sub_state", "s"),
    "LoadState": ("load_state", "s"),
    "Result": ("result", "s"),
    "NRestarts": ("restarts", "u"),
}
PROPERTIES = frozenset({*_FIELDS, "Job"})

Variant = tuple[str, Any]  # a signature, and a value of any type that it names


class Ledger:
    """Units by name, with the job of each; it only remembers what it is told."""

    def __init__(self, globs: Iterable[str]) -> None:
        """Know nothing, and care for the units whose names match a glob."""
        self._matches = re.compile("|".join(translate(glob) for glob in globs) or r"(?!)")
        self._units: dict[str, Unit] = {}
        self._jobs: dict[str, str] = {}  # the path of a unit's job
        self._job_types: dict[str, str] = {}  # by path

    def cares_for(self, name: str) -> bool:
        """Tell whether the name of a unit matches."""
        return self._matches.match(name) is not None

    def unit(self, name: str) -> Unit:
        """Return a unit as it is known; one that is not is inactive."""
        return replace(self._units.get(name) or Unit(name), job=self._job_types.get(self._jobs.get(name, ""), ""))

    def units(self) -> dict[str, Unit]:
        """Return all units that are loaded."""
        return {name: self.unit(name) for name in self._units}

    def job_without_type(self, name: str) -> str:
        """Return the path of the unit's job when its type is not known, else nothing."""
        job = self._jobs.get(name, "")
        return "" if job in self._job_types else job

    def list_units(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Replace everything by the rows of ListUnits; what they do not tell stays for units whose state is the same."""
        before = self._units
        self._units, self._jobs, self._job_types = {}, {}, {}
        for name, _, load_state, active_state, sub_state, _, _, _, job_type, job in rows:
            if self.cares_for(name):
                old = before.get(name, Unit(name))
                is_same = (old.active_state, old.sub_state) == (active_state, sub_state)
                self._units[name] = replace(old if is_same else Unit(name), load_state=load_state, active_state=active_state, sub_state=sub_state)
                if job_type:
                    self._set_job(name, job)
                    self.name_job(name, job, job_type)

    def merge(self, name: str, properties: Mapping[str, Variant]) -> None:
        """Take in properties of one unit by systemd's names; those of other names or types are nothing to us."""
        values = {field: properties[key][1] for key, (field, kind) in _FIELDS.items() if key in properties and properties[key][0] == kind}
        self._units[name] = replace(self._units.get(name) or Unit(name), **values)
        if "Job" in properties and properties["Job"][0] == "(uo)":
            self._set_job(name, properties["Job"][1][1])

    def name_job(self, name: str, job: str, job_type: str) -> None:
        """Take in of what type a job of the unit is."""
        if self._jobs.get(name) == job or self.cares_for(name):
            self._job_types[job] = job_type

    def end_job(self, name: str, job: str) -> None:
        """Take in that a job has ended."""
        self._job_types.pop(job, None)
        if self._jobs.get(name) == job:
            del self._jobs[name]

    def forget(self, name: str) -> None:
        """Take in that a unit is not loaded any more."""
        self._units.pop(name, None)
        self._jobs.pop(name, None)

    def _set_job(self, name: str, job: str) -> None:
        if _JOB_PATH.fullmatch(job):
            self._jobs[name] = job
        else:
            self._jobs.pop(name, None)
