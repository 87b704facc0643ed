"""Loading a configuration to decide by, where its sources, backends and variables are not at hand."""

import pytest

from autoscaler.config import ConfigurationError
from autoscaler.config.document import parse
from autoscaler_simulations.replay.configuration import load_file, load_recorded

FILE = """\
backend: {local: {procfile: Procfile}}
listen: 0.0.0.0:9797
listen_token: ${TOKEN}
metrics:
  jobs: {sql: {url: "postgresql://me:${PASSWORD}@host/db", query: select 1}, alive: nothing}
formation:
  worker:
    maximum: 4
    environment: {KEY: "${KEY}", PLAIN: "$${NOT}", SET: "${SET:-x}"}
    policies: [{target: {metric: jobs, per_process: 20}}]
"""


@pytest.fixture
def load(tmp_path):
    def write(text, environment=None, name="autoscaler.yaml"):
        (tmp_path / name).write_text(text)
        return load_file(tmp_path / name, environment or {})

    return write


def test_neither_procfile_nor_variables_are_needed(load):
    (worker,) = load(FILE).types

    assert (worker.name, worker.process_type.maximum) == ("worker", 4)
    assert worker.process_type.environment == {"KEY": "placeholder", "PLAIN": "${NOT}", "SET": "x"}


def test_variables_that_are_set_are_used(load):
    settings = load(FILE.replace("maximum: 4", "maximum: ${MOST}"), {"MOST": "7"})

    assert settings.types[0].process_type.maximum == 7


def test_placeholder_that_is_refused_names_the_variable(load):
    with pytest.raises(ConfigurationError, match=r"autoscaler.yaml:8:14: formation.worker.maximum: .*MOST is not set in the environment: set it"):
        load(FILE.replace("maximum: 4", "maximum: ${MOST}"))


def test_file_is_judged_by_what_decides(load):
    with pytest.raises(ConfigurationError, match="policies"):
        load(FILE.replace("target:", "tarjet:"))


def test_type_that_a_connection_wakes_is_accepted_again(load):
    (web,) = load("backends: {a: {local: {}}}\nformation: {web: {minimum: 0, maximum: 3, socket: shared, listen: '127.0.0.1:0'}}\n").types

    assert (web.backend, web.process_type.minimum) == ("a", 0)


def test_recorded_configuration_is_loaded_from_its_line():
    written = parse(FILE, "x").written
    settings = load_recorded(written, "record", {})

    assert settings.document == written
    assert settings.types[0].metrics == ("jobs",)


def test_procfile_alone_is_a_configuration(load):
    (web,) = load("web: serve\n", name="Procfile").types

    assert (web.name, web.process_type.maximum) == ("web", 1)


def test_mistake_in_a_recorded_configuration_has_no_line_of_a_file():
    with pytest.raises(ConfigurationError, match=r"^record: formation\.web\.maximum: "):
        load_recorded({"formation": {"web": {"maximum": 0}}}, "record", {})


@pytest.mark.parametrize("written", [None, [], "text"])
def test_record_without_a_configuration_is_refused(written):
    with pytest.raises(ConfigurationError, match="holds none; name one with -c"):
        load_recorded(written, "record", {})


@pytest.mark.parametrize("key", ["metrics", "backends", "formation"])
def test_sections_of_another_shape_are_named(key):
    with pytest.raises(ConfigurationError, match=key):
        load_recorded({"formation": {"web": {"maximum": 1}}, key: ["x"]}, "record", {})
