"""Everything a controller is built from: the configuration file as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.act.backend import BackendPlugin
from autoscaler.decide.settings import FormationCap, TypeSettings
from autoscaler.model import Address, Json
from autoscaler.observe.metric import MetricSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where metrics, health and status are served, and who may ask."""

    address: Address
    token: str | None = field(default=None, repr=False)  # bearer token; required when not loopback, unless TLS is used
    certificate: Path | None = None  # PEM files
    key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A checked configuration."""

    path: Path | None  # None: made in the program
    interval_seconds: float
    backends: Mapping[str, BackendPlugin]  # by name; `backend:` alone is named "default"
    types: tuple[TypeSettings, ...]
    metrics: tuple[MetricSettings, ...] = ()
    listen: Listen | None = None
    cap: FormationCap | None = None  # None: every type grows to its own maximum
    document: Json = None  # the file as written, secrets as ${NAME}, for the record
    warnings: tuple[str, ...] = ()  # what `check` says beside errors, each with file:line:column
    hide: Callable[[str], str] = field(default=str, repr=False, compare=False)  # puts ${NAME} back where its value stands in a sentence

    @property
    def formation_name(self) -> str:
        """Name this formation in locks and in the runtime directory: the absolute path of its file."""
        return str(self.path.resolve()) if self.path else "demo"
