"""Scenarios are found by name or by path."""

from pathlib import Path

import pytest

from autoscaler.config.errors import ConfigurationError
from autoscaler_simulations.scenario.named import abouts, find_scenario, scenario_names


def test_name_finds_a_scenario_of_the_package():
    assert find_scenario("web_by_day").is_file()


@pytest.mark.parametrize("name", ["mine.yaml", "mine.yml", "./list", "folder/mine"])
def test_path_is_taken_as_it_is(name):
    assert find_scenario(name) == Path(name)


def test_unknown_name_lists_those_there_are():
    with pytest.raises(ConfigurationError) as caught:
        find_scenario("web_by_dya")
    said = str(caught.value)
    assert said.startswith("web_by_dya: there is no scenario of this name; did you mean web_by_day? there are batch, ")
    assert said.endswith("; or name a file that ends in .yaml")


def test_every_scenario_says_what_it_is_about():
    assert list(abouts()) == list(scenario_names())
    assert all(about.endswith(".") for about in abouts().values())
