"""Every mistake of a scenario file is told at once, at its place, with its fix."""

from pathlib import Path

import pytest

from autoscaler.config.errors import ConfigurationError
from autoscaler_simulations.scenario.reading import read_scenario
from autoscaler_simulations.scenario.schema import MEASURES

_MORE = "write a scenario, or name one of those that `autoscaler simulate list` shows"


@pytest.mark.parametrize(
    ("replaced", "sentences"),
    [
        ({"length: 10m": "length: 10"}, ["s.yaml:1:9: length: 10 has no unit; write 10s for seconds"]),
        ({"length: 10m": "length: 10m\nsede: 1"}, ["s.yaml:2:1: sede: unknown key; did you mean seed?"]),
        ({"rate: 5": "rate: .inf"}, ["s.yaml:9:29: processes.web.load[0].poisson.rate: inf is not a finite number; write one such as 0.5"]),
        ({"rate: 5": "rate: -5"}, ["s.yaml:9:29: processes.web.load[0].poisson.rate: -5 is below 0; write at least 0"]),
        ({"{poisson": "{poison"}, ["s.yaml:9:13: processes.web.load[0].poison: unknown key; did you mean poisson?"]),
        ({"web, window": "wbe, window"}, ["s.yaml:6:32: metrics.rate.arrival_rate: the configuration has no process type 'wbe'; did you mean web?"]),
        ({"{arrival_rate": "{arival_rate"}, ["s.yaml:6:18: metrics.rate.arival_rate: unknown key; did you mean arrival_rate?"]),
        ({"mean: 200ms": "mean: 0s"}, None),
        ({"  web:\n": "  w\u0435b:\n"}, ["s.yaml:8:3: processes.w\u0435b: the configuration has no process type 'w\\u0435b'; did you mean web?"]),
        ({"rate: 5": 'rate: "${RATE}"'}, None),
        (
            {"maximum: 9": "maximum: nine", "length: 10m": "length: ten"},
            [
                "s.yaml:1:9: length: 'ten' is not a duration; write it such as 500ms, 30s, 5m, 1h or 1d",
                "s.yaml:5:30: configuration.formation.web.maximum: 'nine' is text, not a whole number; write a number such as 5",
            ],
        ),
        (
            {"metrics: {rate: {arrival_rate: web, window: 1m}}\n": ""},
            ["s.yaml:1:1: metrics.rate: missing; say which of " + ", ".join(MEASURES) + " it is, such as `rate: {arrival_rate: web, window: 1m}`"],
        ),
        (
            {"    service: {exponential: {mean: 200ms}}\n": ""},
            ["s.yaml:8:3: processes.web.service: missing; say how long a request takes, such as `service: {exponential: {mean: 200ms}}`"],
        ),
        (
            {"{poisson: {rate: 5}}": ""},
            ["s.yaml:8:3: processes.web.load: missing; say what arrives, such as `load: [{poisson: {rate: 20}}]`"],
        ),
    ],
)
def test_mistake_is_told_once_at_its_place(refusal, replaced, sentences):
    told = refusal(replaced)
    assert told == sentences if sentences else len(told) == 1


@pytest.mark.parametrize(
    ("added", "sentence"),
    [
        ("length: 1h\n", "11:1: length: the key 'length' stands here again, first in line 1; keep one of them"),
        ("begins: tomorrow\n", "11:9: begins: 'tomorrow' is no date and time; write it as '2026-03-02 00:00'"),
        ("begins: '9999-12-31'\n", "11:9: begins: '9999-12-31' is not in the years 1970 to 2999; write such as '2026-03-02 00:00'"),
        ("seed: -1\n", "11:7: seed: -1 is below 0; write at least 0"),
        ("fidelity: fast\n", "11:11: fidelity: 'fast' is not one of auto, requests, flow; write one of them"),
        (
            "faults: [{metric_outage: {metric: rat, at: 1m, for: 1m}}]\n",
            "11:35: faults[0].metric_outage.metric: the configuration has no metric 'rat'; did you mean rate?",
        ),
        (
            "faults: [{lost_host: {process_type: wbe, at: 1m, for: 1m}}]\n",
            "11:37: faults[0].lost_host.process_type: the configuration has no process type 'wbe'; did you mean web?",
        ),
        (
            "faults: [{backend_outage: {backend: b, at: 1m, for: 1m}}]\n",
            "11:37: faults[0].backend_outage.backend: the configuration has no backend 'b'; use one of default",
        ),
        (
            "faults: [{lost_host: {process_type: web, at: 10m, for: 1m}}]\n",
            "11:46: faults[0].lost_host.at: 10m is not before the end of the simulation; begin earlier, or make length: 10m longer",
        ),
        (
            "    objective: {wait: 1s, share: 1}\n",
            "11:5: processes.web.objective: share 1 is not between 0 and 1, both excluded; write 0.99 for 99 % of the requests",
        ),
        ("    objective: {}\n", "11:5: processes.web.objective: none is given; write one of wait, response"),
        (
            "    objective: {wait: 1s, response: 2s}\n",
            "11:5: processes.web.objective: wait and response exclude each other; write one of wait, response",
        ),
    ],
)
def test_mistake_in_an_added_key_is_told_at_its_place(refusal, added, sentence):
    assert refusal(added=added) == [f"s.yaml:{sentence}"]


def test_names_are_checked_although_a_fault_beside_them_is_wrong(refusal):
    faults = "faults: [{lost_host: {process_type: wbe, at: 1m, for: 1m, share: 2}}, {slow: 1}]\n"
    assert [line.split(": ")[1] for line in refusal(added=faults)] == [
        "faults[0].lost_host.process_type",
        "faults[0].lost_host.share",
        "faults[1].slow",
    ]


def test_configuration_in_the_place_of_a_scenario_is_told_in_one_sentence(tmp_path):
    path = tmp_path / "autoscaler.yaml"
    path.write_text("interval: 5s\nmetrics: {rate: {file: {path: '${UNSET}'}}}\nformation: {web: {maximum: 9}}\n")
    with pytest.raises(ConfigurationError) as caught:
        read_scenario(path, {})
    said = "this is a configuration, and a scenario says under which load it runs"
    fix = "write a scenario beside it that says `configuration: autoscaler.yaml`, and give that to simulate"
    assert str(caught.value) == f"{path}: {said}; {fix}"


def test_formation_beside_the_keys_of_a_scenario_is_an_unknown_key(refusal):
    assert refusal(added="formation: {}\n") == ["s.yaml:11:1: formation: unknown key; did you mean configuration?"]


def test_file_that_is_not_there_points_to_the_list():
    with pytest.raises(ConfigurationError) as caught:
        read_scenario(Path("nowhere.yaml"), {})
    assert str(caught.value) == f"nowhere.yaml: there is no such file; {_MORE}"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b" \n", f"the file is empty; {_MORE}"),
        (b"a: \0", "this is a binary file; name a text file"),
        (b"about: \xe9\n", "1:8: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\tlength: 1m\n", "1:1: a tab cannot indent YAML; use spaces"),
    ],
)
def test_file_that_is_no_scenario_is_refused(tmp_path, content, sentence):
    path = tmp_path / "s.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_scenario(path, {})
    assert str(caught.value) in (f"{path}: {sentence}", f"{path}:{sentence}")


def test_variable_of_the_environment_is_filled_in(write):
    scenario = read_scenario(write({"length: 10m": "length: '${LENGTH}'"}), {"LENGTH": "5m"})
    assert scenario.length_seconds == 300.0
