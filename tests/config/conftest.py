"""Hold the plug-ins that the configuration's tests are written with, and ways to load a text with them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest

from autoscaler.config.build import build
from autoscaler.config.document import parse
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.plugins import BACKENDS, POLICIES, SOURCES, Plugin, Registry
from autoscaler.config.substitution import substitute
from autoscaler.model import Duration, FilePath, Help, Metric, Number, Recommendation, SecretText
from autoscaler.settings import Settings

_FORMATION = "formation: {web: {maximum: 4}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A number that never changes."""

    value: Annotated[float, Help("the number")] = 1.0
    token: SecretText | None = field(default=None, repr=False)
    password: Annotated[str | None, Help("checked by the source itself")] = None

    def __post_init__(self):
        if self.value == 13:
            raise ValueError("13 brings no luck; write 12")
        if self.password is not None and len(self.password) < 8:
            raise ValueError(f"the password {self.password} is too short")

    def read(self, poll):
        return poll.reading(self.value)

    def check_alive(self, query, poll):
        """Answer that the exporter lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfProcesses:
    """A number that the processes of a type export."""

    process_type: str | None = None
    folder: str = ""
    exists_at_zero = False

    def located(self, folder: Path) -> "OfProcesses":
        return OfProcesses(process_type=self.process_type, folder=str(folder))

    def read(self, poll):
        return poll.reading(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A policy that wants what a metric says."""

    metric: Metric
    other: Metric | None = None
    within_seconds: Duration = 60.0

    def warnings(self):
        return () if self.other else ("other is not given",)

    def recommend(self, observation, memory):
        del memory
        return Recommendation(int(observation.value(self.metric)), "as it says")


@dataclass(frozen=True, slots=True)
class Home:
    """A backend that knows which process types it can run."""

    procfile: Annotated[str, FilePath()] = "Procfile"
    port: Annotated[int, Number(at_least=1)] = 5000

    def connect(self, process_types, previous):
        raise NotImplementedError

    def observer(self, process_types):
        raise NotImplementedError

    def mistakes(self, process_types):
        return tuple((one.name, "it is unknown here; add it") for one in process_types if one.name.startswith("unknown"))


@dataclass(frozen=True, slots=True)
class Away:
    """A backend without options."""

    def connect(self, process_types, previous):
        raise NotImplementedError

    def observer(self, process_types):
        raise NotImplementedError


def plugin(group: str, name: str, found: object, distribution: str = "acme-plugins") -> Plugin:
    return Plugin(group, name, distribution, lambda: found)


@pytest.fixture
def registry() -> Registry:
    """Return the plug-ins above under the names that tests use."""
    found = {(SOURCES, "constant"): Constant, (SOURCES, "of_processes"): OfProcesses, (POLICIES, "wish"): Wish}
    found |= {(BACKENDS, "local"): Home, (BACKENDS, "away"): Away}
    return Registry(plugin(group, name, one) for (group, name), one in found.items())


@pytest.fixture
def load(registry: Registry) -> Callable[..., Settings]:
    """Load a text with these plug-ins; the environment is given by keyword."""

    def load_it(text: str, **environment: str) -> Settings:
        return build(substitute(parse(text, "autoscaler.yaml"), environment), registry, None, Path("/srv/app"))

    return load_it


@pytest.fixture
def mistakes(load: Callable[..., Settings]) -> Callable[..., list[str]]:
    """Load a text that is wrong, and return its mistakes, one a line."""

    def load_it(text: str, **environment: str) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            load(text, **environment)
        return str(caught.value).splitlines()

    return load_it


@pytest.fixture
def mistake(mistakes: Callable[..., list[str]]) -> Callable[..., str]:
    """Load a text with one mistake beside a good formation, and return that mistake without the file's name."""

    def load_it(text: str, **environment: str) -> str:
        lines = mistakes(text if "formation:" in text else _FORMATION + text, **environment)
        assert len(lines) == 1, lines
        return lines[0].removeprefix("autoscaler.yaml:")

    return load_it


@pytest.fixture
def type_mistake(mistake: Callable[..., str]) -> Callable[..., str]:
    """Load a process type with one mistake in its keys, and return that mistake without its place."""

    def load_it(keys: Mapping[str, str] | str) -> str:
        return mistake(f"formation:\n  web: {{{keys}}}\n").split(": ", 1)[1]

    return load_it


@pytest.fixture
def type_mistakes(mistakes: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """Load a process type with mistakes in its keys, and return them without their places."""

    def load_it(keys: str) -> list[str]:
        return [line.split(": ", 1)[1] for line in mistakes(f"formation:\n  web: {{{keys}}}\n")]

    return load_it
