"""Read a scenario file, or name every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autoscaler.config.document import parse
from autoscaler.config.errors import ConfigurationError, Mistake
from autoscaler.config.loading import read_file
from autoscaler.config.part import Part
from autoscaler.config.plugins import installed
from autoscaler.config.readers import Surroundings
from autoscaler.config.reading import read_section
from autoscaler.config.report import Report
from autoscaler.config.substitution import substitute
from autoscaler.settings import Settings
from autoscaler_simulations.scenario.checks import check_scenario
from autoscaler_simulations.scenario.expectation import Expectation
from autoscaler_simulations.scenario.expecting import read_expectations
from autoscaler_simulations.scenario.faults import metric_faults, outages, type_faults
from autoscaler_simulations.scenario.measures import measures
from autoscaler_simulations.scenario.moment import read_time
from autoscaler_simulations.scenario.scenario import Scenario
from autoscaler_simulations.scenario.schema import ScenarioSection
from autoscaler_simulations.scenario.tested import SeveralFilesError, read_configuration


def read_scenario(path: Path, environment: Mapping[str, str]) -> Scenario:
    """Read the file; ``${NAME}`` comes from ``environment``. Raises ``ConfigurationError`` with every mistake."""
    written = parse(_text(path), str(path))
    _refuse_configuration(path, written.data)
    document = substitute(written, environment)
    report = Report(document)
    part = Part((), document.data, report, installed(), Surroundings(path.parent.absolute()))
    section = read_section(ScenarioSection, part)
    tested = read_configuration(part.under("configuration"), path.parent, environment)
    check_scenario(section, tested.settings, part)
    expectations = read_expectations(part.under("expect"))
    errors = [*_mistakes(report), *tested.errors]
    if errors or tested.settings is None:
        raise _all_of(errors)
    return _scenario(path, section, tested.settings, expectations)


def _text(path: Path) -> str:
    """Read the file, in words of its own for what is no scenario at all."""
    try:
        text = read_file(path)
    except ConfigurationError as error:
        if isinstance(error.__context__, FileNotFoundError):
            raise _no_scenario(path, "there is no such file") from error
        raise
    if not text.strip():
        raise _no_scenario(path, "the file is empty")
    return text


def _refuse_configuration(path: Path, data: object) -> None:
    """Tell a configuration from a scenario before each of its keys is called unknown."""
    if isinstance(data, dict) and "formation" in data and not data.keys() & {"configuration", "processes"}:
        fix = f"write a scenario beside it that says `configuration: {path.name}`, and give that to simulate"
        raise ConfigurationError(str(path), [Mistake(0, 0, "", f"this is a configuration, and a scenario says under which load it runs; {fix}")])


def _no_scenario(path: Path, said: str) -> ConfigurationError:
    fix = "write a scenario, or name one of those that `autoscaler simulate list` shows"
    return ConfigurationError(str(path), [Mistake(0, 0, "", f"{said}; {fix}")])


def _mistakes(report: Report) -> list[ConfigurationError]:
    try:
        report.finish()
    except ConfigurationError as error:
        return [error]
    return []


def _all_of(errors: list[ConfigurationError]) -> ConfigurationError:
    """Make one error of those of the scenario and those of the configuration, which may be a file of its own."""
    if len({error.name for error in errors}) > 1:
        return SeveralFilesError(errors)
    return ConfigurationError(errors[0].name, [mistake for error in errors for mistake in error.mistakes])


def _scenario(path: Path, section: ScenarioSection, settings: Settings, expectations: tuple[Expectation, ...]) -> Scenario:
    faults = section.faults or ()
    return Scenario(
        name=path.stem,
        path=path,
        about=section.about,
        settings=settings,
        processes=section.processes or {},
        measures=measures(section.metrics or {}),
        length_seconds=section.length_seconds,
        fidelity=section.fidelity,
        seed=section.seed,
        begins=read_time(section.begins),
        faults=type_faults(faults),
        metric_faults=metric_faults(faults),
        outages=outages(faults),
        expectations=expectations,
    )
