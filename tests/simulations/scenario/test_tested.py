"""The configuration under test is a part of the scenario, or a file of its own."""

import pytest

from autoscaler.config.errors import ConfigurationError
from autoscaler_simulations.scenario.reading import read_scenario

_REST = """\
length: 10m
configuration: autoscaler.yaml
metrics: {rate: {arrival_rate: web, window: 1m}}
processes: {web: {load: [{poisson: {rate: 5}}], service: {exponential: {mean: 200ms}}}}
"""
_PRODUCTION = """\
interval: 10s
metrics: {rate: {prometheus: {url: 'http://127.0.0.1:9090', query: rate, token: '${TOKEN}'}}}
formation: {web: {maximum: 9, command: run, policies: [{target: {metric: rate, per_process: 4}}]}}
"""


@pytest.fixture
def read_file(tmp_path, monkeypatch):
    """Read a scenario that names a configuration file, if there is a text for one."""
    monkeypatch.chdir(tmp_path)

    def read(configuration, rest=_REST):
        folder = tmp_path / "scenarios"
        folder.mkdir()
        (folder / "s.yaml").write_text(rest)
        if configuration is not None:
            (folder / "autoscaler.yaml").write_text(configuration)
        return read_scenario((folder / "s.yaml").relative_to(tmp_path), {})

    return read


def test_file_of_production_needs_no_secret(read_file):
    scenario = read_file(_PRODUCTION)
    assert scenario.settings.types[0].metrics == ("rate",)
    assert scenario.settings.document["metrics"]["rate"]["prometheus"].get("token") == "${TOKEN}"


def test_file_that_is_missing_is_told_where_it_is_named(read_file):
    with pytest.raises(ConfigurationError) as caught:
        read_file(None)
    said = "scenarios/s.yaml:2:16: configuration: scenarios/autoscaler.yaml: there is no such file; write one with: autoscaler init"
    assert str(caught.value) == said


def test_mistakes_of_both_files_are_told_together(read_file):
    with pytest.raises(ConfigurationError) as caught:
        read_file(_PRODUCTION.replace("maximum: 9", "maximum: x"), _REST.replace("10m", "10"))
    first, second = str(caught.value).splitlines()
    assert first.startswith("scenarios/s.yaml:1:9: length: ")
    assert second.startswith("scenarios/autoscaler.yaml:3:28: formation.web.maximum: ")


@pytest.mark.parametrize("value", ["5", "[autoscaler.yaml]"])
def test_anything_but_a_mapping_or_a_name_is_refused(read_file, value):
    with pytest.raises(ConfigurationError, match=r"not a mapping or the name of a file; write autoscaler\.yaml"):
        read_file(None, _REST.replace("configuration: autoscaler.yaml", f"configuration: {value}"))


def test_configuration_that_is_left_out_is_missing(read_file):
    with pytest.raises(ConfigurationError, match=r"s\.yaml:1:1: configuration: missing; write a configuration"):
        read_file(None, _REST.replace("configuration: autoscaler.yaml\n", ""))


def test_configuration_within_the_scenario_needs_no_backend(read):
    assert list(read().settings.backends) == ["default"]


def test_unknown_key_of_a_source_is_told_with_its_path(refusal):
    told = refusal({"{path: rate}": "{pth: rate}"})
    assert told[1] == "s.yaml:4:27: configuration.metrics.rate.file.pth: unknown key; did you mean path?"


def test_variable_that_is_not_set_is_told_alone(refusal):
    (told,) = refusal({"{path: rate}": '{path: "${RATE}"}'})
    assert told.startswith("s.yaml:4:33: configuration.metrics.rate.file.path: ${RATE} is not set in the environment")
