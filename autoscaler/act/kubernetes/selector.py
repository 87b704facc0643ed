"""Say which pods belong to a workload, so that one list serves many of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autoscaler.act.kubernetes.shapes import LabelSelector, Requirement

_EQUAL = re.compile(r"(?P<key>[A-Za-z0-9./_-]+)==?(?P<value>[A-Za-z0-9._-]*)")
_TOGETHER = 40  # workloads in one list, so that its address stays short enough for any proxy


@dataclass(frozen=True, slots=True)
class Selector:
    """The labels of a workload's pods; ``labels`` is ``None`` where it is more than a few equal values."""

    text: str
    labels: Mapping[str, str] | None

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Tell whether a pod is the workload's, of those that a list by this selector, or one with more in it, has returned."""
        return self.labels is None or all(labels.get(key) == value for key, value in self.labels.items())


def selector_of(selector: LabelSelector) -> Selector | None:
    """Read the selector of a Deployment and its like; ``None`` when it is empty, which would be every pod there is."""
    labels = dict(selector.matchLabels or {})
    texts = [f"{key}={value}" for key, value in sorted(labels.items())] + [_written(each) for each in selector.matchExpressions or ()]
    return Selector(",".join(texts), None if selector.matchExpressions else labels) if texts else None


def selector_in(text: str) -> Selector | None:
    """Read the selector of a scale, ``app=web,tier=front``; ``None`` when it is empty."""
    found = [_EQUAL.fullmatch(part.strip()) for part in text.split(",")]
    labels = {each["key"]: each["value"] for each in found if each}
    return Selector(text, labels if all(found) else None) if text.strip() else None


def plan_lists(selectors: Mapping[str, Selector]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the selectors to list pods by, each with the names it answers for: as few lists as do."""
    simple = [name for name, each in selectors.items() if each.labels is not None]
    for name, each in selectors.items():
        if each.labels is None:
            yield each.text, (name,)
    for names in _families([(name, frozenset(selectors[name].labels or {})) for name in simple]):
        for start in range(0, len(names), _TOGETHER):
            together = names[start : start + _TOGETHER]
            yield _joined([selectors[name].labels or {} for name in together]), tuple(together)


def _families(keys: Sequence[tuple[str, frozenset[str]]]) -> list[list[str]]:
    """Put names together whose selectors have the same labels, whatever their values."""
    families: dict[frozenset[str], list[str]] = {}
    for name, each in keys:
        families.setdefault(each, []).append(name)
    return list(families.values())


def _joined(labels: Sequence[Mapping[str, str]]) -> str:
    """Select the pods of all of these, which have the same labels: by each, any of its values; ``Selector.fits`` leaves out what is beyond."""
    if len(labels) == 1:
        return ",".join(f"{key}={value}" for key, value in sorted(labels[0].items()))
    values = {key: sorted({each[key] for each in labels}) for key in sorted(labels[0])}
    return ",".join(f"{key}={found[0]}" if len(found) == 1 else f"{key} in ({','.join(found)})" for key, found in values.items())


def _written(requirement: Requirement) -> str:
    values = ",".join(requirement.values)
    forms = {"In": f"{requirement.key} in ({values})", "NotIn": f"{requirement.key} notin ({values})", "DoesNotExist": f"!{requirement.key}"}
    return forms.get(requirement.operator, requirement.key)
