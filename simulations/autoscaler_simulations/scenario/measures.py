"""Turn what a scenario says of its metrics into measures of the plants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from autoscaler_simulations.engine.measures import Kind, Measure
from autoscaler_simulations.scenario.one_of import given
from autoscaler_simulations.scenario.schema import MEASURES, MeasureSection


def measures(sections: Mapping[str, MeasureSection]) -> dict[str, Measure]:
    """Make the measure of each metric."""
    return {name: _measure(section) for name, section in sections.items()}


def _measure(section: MeasureSection) -> Measure:
    kind, process_type = given(section, MEASURES)
    return Measure(
        kind=cast("Kind", kind),
        process_type=str(process_type),
        window_seconds=section.window_seconds,
        delay_seconds=section.delay_seconds,
        each_process=section.each_process,
    )
