"""One process type with no limits but those of a case, and files that have to be refused."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from autoscaler.config.errors import ConfigurationError
from autoscaler.config.loading import load_text
from autoscaler.decide.memory import Memory
from autoscaler.decide.pipeline import decide
from autoscaler.decide.policy import Policy
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, RateLimit, TypeSettings
from autoscaler.model import Abstain, Answer, Counts, Decision, Json, Missing, Observation, ProcessType, Reading

FREE = DirectionLimits()
METRIC = "m"
CAPS = {"max_step_up": "scale_out", "max_scale_up": "scale_out", "max_step_down": "scale_in", "max_scale_down": "scale_in"}  # Nomad's names


@dataclass(frozen=True)
class Answering:
    """A policy that answers what a case says its check found."""

    answer: Answer

    def recommend(self, _observation: Observation, _memory: Json) -> Answer:
        return self.answer


def settings_of(*policies: Policy, minimum=0, maximum=10**6, scale_out=FREE, scale_in=FREE) -> TypeSettings:
    """Hold a type to the limits given and to no others."""
    web = ProcessType(name="web", minimum=minimum, maximum=maximum, interval_seconds=1.0)
    named = tuple(NamedPolicy(f"p{index}", policy) for index, policy in enumerate(policies))
    return TypeSettings(process_type=web, policies=named, scale_out=scale_out, scale_in=scale_in)


def limits_of(given: Mapping[str, int | None]) -> Mapping[str, DirectionLimits]:
    """Limit each direction that a case caps to so many processes a tick."""
    capped = {CAPS[key]: given[key] for key in CAPS if given.get(key) is not None}
    return {direction: DirectionLimits(at_most=(RateLimit(most, "processes", 1.0),)) for direction, most in capped.items()}


def written_limits_of(given: Mapping[str, object]) -> list[tuple[str, object]]:
    """Write the caps of a case as rate limits of the file."""
    return [(CAPS[key], f'{{at_most: ["{given[key]} per 1s"]}}') for key in CAPS if given.get(key) is not None]


@dataclass
class Course:
    """The ticks of one type, a second apart; the size follows each decision unless it is held."""

    settings: TypeSettings
    size: int
    now: float = 0.0
    memory: Memory = field(default_factory=Memory)

    def tick(self, value: float | None = None, *, is_held: bool = False) -> Decision:
        """Decide on a new reading of ``m``, or on none."""
        self.now += 1.0
        readings = {} if value is None else {METRIC: Reading(METRIC, value, self.now)}
        missing = {METRIC: "no samples"} if value is None else {}
        observation = Observation(self.now, 1e9, self.settings.process_type, Counts(self.size, self.size), readings, missing)
        decision, self.memory = decide(self.settings, observation, self.memory)
        self.size = self.size if is_held else decision.target
        return decision


def decided(settings: TypeSettings, current: int, samples: Sequence[float]) -> Decision:
    """Decide on each sample while the size stays as it is, and return the last decision."""
    course = Course(settings, current)
    decisions = [course.tick(sample, is_held=True) for sample in samples or (None,)]
    return decisions[-1]


def assert_decision(case, decision: Decision) -> None:
    """Compare what was decided with a direction and a size, or with no result at all."""
    expect, current = case["expect"], case["input"]["current"]
    unknown = set(expect) - {"direction", "desired", "result"}
    assert not unknown, f"the adapter does not know {unknown}"
    if "result" in expect:
        assert expect["result"] == "no_result"
        assert all(isinstance(given.answer, Missing | Abstain) for given in decision.answers)
        assert decision.target == current
    else:
        assert direction_of(current, decision.target) == expect["direction"], decision.reason
        assert decision.target == expect.get("desired", decision.target), decision.reason


def direction_of(before: int, after: int) -> str:
    """Name the direction of a change in Nomad's words."""
    return "none" if before == after else "up" if after > before else "down"


def flow(*pairs: tuple[str, object]) -> str:
    """Write a YAML mapping on one line; a value that is a mapping already stays as it is written, and a key may come twice."""
    return "{" + ", ".join(f"{key}: {value if key in _WRITTEN else json.dumps(value)}" for key, value in pairs) + "}"


_WRITTEN = ("bands", "step", "target", "fixed", "expression", "policies", "scale_out", "scale_in")


def assert_refused(case, keys: Mapping[str, str], *type_pairs: tuple[str, object]) -> None:
    """Expect the file of a type to be refused for the key of ours that a word of the case's error stands for."""
    error = case["expect"]["error"]
    words = set(re.findall("[a-z_]+", error.lower()))
    meant = {key for word, key in keys.items() if word in words}
    assert meant, f"the adapter knows no key of ours for {error!r}"
    text = f"metrics: {{m: {{file: {{path: m}}}}}}\nformation: {{web: {flow(('maximum', 99), ('command', 'serve'), *type_pairs)}}}\n"
    with pytest.raises(ConfigurationError) as caught:
        load_text(text, "autoscaler.yaml", {})
    said = [f"{mistake.path}: {mistake.message}" for mistake in caught.value.mistakes]
    assert any(key in sentence for key in meant for sentence in said), said


def check_of(case: Mapping[str, Mapping[str, object]], checks: Mapping[frozenset[str], Callable[..., None]]) -> Callable[..., None]:
    """Choose the check that reads the most of a case's fields; what no check reads describes the case."""
    fields = case["input"].keys()
    fitting = [known for known in checks if known <= fields]
    assert fitting, f"the adapter does not know a case of {sorted(fields)}"
    return checks[max(fitting, key=len)]
