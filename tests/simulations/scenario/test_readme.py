"""What the page on simulations shows is what scenario files hold."""

import dataclasses
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from autoscaler_simulations.scenario.preparing import Changes, prepare
from autoscaler_simulations.scenario.reading import read_scenario
from autoscaler_simulations.scenario.schema import ScenarioSection

_PAGE = (Path(__file__).resolve().parents[3] / "simulations" / "README.md").read_text()
_CONFIGURATION = """\
metrics: {requests_per_second: {file: {path: rate}}}
formation: {web: {maximum: 9, policies: [{target: {metric: requests_per_second, per_process: 4}}]}}
"""


def _sections(annotation):
    """Yield every section that a value of the annotation can hold, those below them too."""
    if dataclasses.is_dataclass(annotation):
        yield annotation
        hints = get_type_hints(annotation)
        for field in dataclasses.fields(annotation):
            if field.init:
                yield from _sections(hints[field.name])
    for inner in get_args(annotation):
        yield from _sections(inner)


def _keys():
    return sorted(
        {field.name.removesuffix("_seconds") for section in set(_sections(ScenarioSection)) for field in dataclasses.fields(section) if field.init}
    )


def test_scenario_on_the_page_can_be_run(tmp_path):
    (scenario,) = re.findall(r"^```yaml\n(.*?)^```", _PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "mine.yaml").write_text(scenario)
    (tmp_path / "autoscaler.yaml").write_text(_CONFIGURATION)
    (tmp_path / "lastweek.csv").write_text("timestamp_s,requests\n" + "".join(f"{3600 * hour},{hour}\n" for hour in range(168)))
    assert prepare(read_scenario(tmp_path / "mine.yaml", {}), Changes()).length_seconds == 7 * 86_400


@pytest.mark.parametrize("key", _keys())
def test_page_names_every_key(key):
    code = " ".join(re.findall(r"`([^`\n]+)`", _PAGE))
    assert re.search(rf"(?<![a-z_]){key}(?![a-z_])", code), f"simulations/README.md does not name {key}"
