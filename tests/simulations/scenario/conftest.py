"""Write scenarios, whole and with mistakes."""

import pytest

from autoscaler.model import AutoscalerError
from autoscaler_simulations.scenario.preparing import Changes, prepare
from autoscaler_simulations.scenario.reading import read_scenario

_SCENARIO = """\
length: 10m
configuration:
  interval: 10s
  metrics: {rate: {file: {path: rate}}}
  formation: {web: {maximum: 9, policies: [{target: {metric: rate, per_process: 4}}]}}
metrics: {rate: {arrival_rate: web, window: 1m}}
processes:
  web:
    load: [{poisson: {rate: 5}}]
    service: {exponential: {mean: 200ms}}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the scenario, with texts replaced and lines added, in the folder that the test works in."""
    monkeypatch.chdir(tmp_path)

    def write_scenario(replaced=(), added=""):
        text = _SCENARIO
        for before, after in dict(replaced).items():
            assert before in text
            text = text.replace(before, after)
        path = tmp_path / "s.yaml"
        path.write_text(text + added)
        return path.relative_to(tmp_path)

    return write_scenario


@pytest.fixture
def read(write):
    """Write a scenario and read it."""
    return lambda replaced=(), added="": read_scenario(write(replaced, added), {})


@pytest.fixture
def refusal(read):
    """Return the lines that tell what is wrong with a scenario."""

    def refuse(replaced=(), added="", changes=None):
        with pytest.raises(AutoscalerError) as caught:
            prepare(read(replaced, added), changes or Changes())
        return str(caught.value).splitlines()

    return refuse
