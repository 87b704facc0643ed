"""Build settings from a document, or raise all its mistakes at once."""

from __future__ import annotations

from pathlib import Path

from autoscaler.config.backends_section import Backends, read_backends
from autoscaler.config.cross_checks import Whole, check_whole
from autoscaler.config.document import Document
from autoscaler.config.formation_section import Ground, read_types
from autoscaler.config.metrics_section import metric_names, read_metrics
from autoscaler.config.part import Part
from autoscaler.config.plugins import Registry
from autoscaler.config.readers import Surroundings
from autoscaler.config.reading import read_section
from autoscaler.config.report import Report
from autoscaler.config.schedule_section import check_schedule
from autoscaler.config.schema import DefaultsSection, FileSection
from autoscaler.decide.settings import FormationCap
from autoscaler.settings import Listen, Settings

_INTERVAL_SECONDS = 5.0


def build(document: Document, registry: Registry, path: Path | None, folder: Path) -> Settings:
    """Build the settings of a document whose relative paths are taken from ``folder``.

    Raises ``ConfigurationError`` with every mistake.
    """
    report = Report(document)
    part = Part((), document.data, report, registry, Surroundings(folder))
    section = read_section(FileSection, part)
    whole = _read(section, part)
    check_whole(whole, part)
    report.finish()
    return Settings(
        path=path,
        interval_seconds=_interval(section, whole.backends),
        backends=whole.backends.plugins,
        types=whole.types,
        metrics=tuple(metric.settings for metric in whole.metrics),
        listen=_listen(section),
        cap=FormationCap(section.total, section.preempt) if section.total is not None else None,
        document=document.written,
        warnings=report.warnings(),
    )


def _read(section: FileSection, part: Part) -> Whole:
    knowing = Part((), part.data, part.report, part.registry, Surroundings(part.surroundings.folder, metric_names(section.metrics)))
    backends = read_backends(section, knowing)
    metrics = read_metrics(knowing.at("metrics", section.metrics))
    defaults = read_section(DefaultsSection, knowing.at("defaults", section.defaults))
    check_schedule(defaults.schedule, knowing.at("defaults", section.defaults).under("schedule"))
    types = read_types(knowing.at("formation", section.formation), Ground(_interval(section, backends), defaults, backends))
    type_names = tuple(section.formation) if isinstance(section.formation, dict) else ()
    return Whole(section, backends, metrics, types, type_names)


def _interval(section: FileSection, backends: Backends) -> float:
    """Return the time between two decisions: as the file says, else the longest that a backend asks for by ``default_interval_seconds``."""
    asked = [getattr(plugin, "default_interval_seconds", _INTERVAL_SECONDS) for plugin in backends.plugins.values()]
    return section.interval_seconds or max(asked, default=_INTERVAL_SECONDS)


def _listen(section: FileSection) -> Listen | None:
    if section.listen is None:
        return None
    certificate = Path(section.listen_certificate) if section.listen_certificate else None
    key = Path(section.listen_key) if section.listen_key else None
    return Listen(address=section.listen, token=section.listen_token, certificate=certificate, key=key)
