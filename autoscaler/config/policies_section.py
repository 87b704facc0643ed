"""Read the ``policies:`` of a process type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import cast

from autoscaler.config.part import Part
from autoscaler.config.plugin_parts import Choice, make, split
from autoscaler.config.plugins import POLICIES
from autoscaler.config.reading import read_section
from autoscaler.config.schema import PolicySection, WhenMissingSection
from autoscaler.decide.policy import Policy
from autoscaler.decide.settings import NamedPolicy, WhenMissing

_CHOICE = Choice(POLICIES, "policy", PolicySection)
_KEY = "when_missing"


def read_policies(part: Part) -> tuple[NamedPolicy, ...]:
    """Make the policies of a list; a second of the same kind is named ``target_2``. Those with a mistake are left out."""
    items = part.data if isinstance(part.data, tuple | list) else ()
    return tuple(_named([found for index, item in enumerate(items) if (found := _policy(part.at(index, item))) is not None]))


def _named(found: list[tuple[str, Policy, WhenMissing]]) -> Iterator[NamedPolicy]:
    seen: Counter[str] = Counter()
    for kind, policy, when_missing in found:
        seen[kind] += 1
        yield NamedPolicy(kind if seen[kind] == 1 else f"{kind}_{seen[kind]}", policy, when_missing)


def _policy(part: Part) -> tuple[str, Policy, WhenMissing] | None:
    plugin, beside = split(_CHOICE, part)
    when_missing = _when_missing(part.holding(beside))
    if plugin is None:
        return None
    inside = plugin.data.get(_KEY) if isinstance(plugin.data, dict) else None
    if inside is not None:
        if beside:
            part.report.at_key((*plugin.path, _KEY), "stands here and beside the policy; keep one of them")
        when_missing = _when_missing(plugin.holding({_KEY: inside}))
        plugin = plugin.holding({key: value for key, value in cast("dict[str, object]", plugin.data).items() if key != _KEY})
    policy = make(_CHOICE, plugin)
    return (str(plugin.path[-1]), cast("Policy", policy), when_missing) if policy is not None else None


def _when_missing(part: Part) -> WhenMissing:
    said = read_section(PolicySection, part).when_missing
    if not isinstance(said, WhenMissingSection):
        return WhenMissing()
    if said.processes is not None:
        return WhenMissing("processes", said.processes)
    if said.at_most is not None:
        return WhenMissing("at_most", said.at_most)
    return WhenMissing("at_least", said.at_least or 0)
