"""Give the tests of this folder three platforms, and a formation on each by its example."""

from dataclasses import replace
from functools import partial
from threading import Event

import pytest

from autoscaler.model import Change
from tests.platform_api import clever_cloud, in_house, load_example, pages, scalingo  # noqa: F401 - fixtures


class Driven:
    """A platform, and the backend that drives it as the example says."""

    def __init__(self, platform, plugin, types):
        self.platform, self.plugin, self.types = platform, plugin, types
        self.backend = plugin.connect(types, None)
        self.told = []

    def see(self, name="web"):
        """Return what is known of a type, or why nothing is."""
        formation = self.backend.observe()
        self.told += formation.happenings
        return formation.types.get(name) or formation.errors[name]

    def counts(self, name="web"):
        return self.see(name).counts

    def scale(self, **targets):
        changes = tuple(Change(name, 0, target, "busy") for name, target in targets.items())
        return [outcome.error for outcome in self.backend.scale(changes)]


@pytest.fixture
def drive():
    """Drive a platform by an example, with keys of the plug-in replaced where a test needs other ones."""
    driven = []

    def connect(platform, example, adapt=lambda plugin: plugin, interval_seconds=30.0):
        settings = load_example(example, platform)
        types = tuple(replace(each.process_type, interval_seconds=interval_seconds) for each in settings.types)
        driven.append(Driven(platform, adapt(settings.backends["default"]), types))
        return driven[-1]

    yield connect
    for each in driven:
        each.backend.close(Event())


@pytest.fixture
def on_scalingo(drive, scalingo):  # noqa: F811 - the fixture
    return partial(drive, scalingo, "scalingo.yaml")


@pytest.fixture
def on_clever_cloud(drive, clever_cloud):  # noqa: F811 - the fixture
    return partial(drive, clever_cloud, "clever-cloud.yaml")


@pytest.fixture
def on_in_house(drive, in_house):  # noqa: F811 - the fixture
    return partial(drive, in_house, "in-house.yaml")
