"""Nomad's threshold: a band, and how many samples must lie in it."""

import pytest

from autoscaler_policies.step import Step
from autoscaler_policies.step_bands import Band
from tests.conformance.one_type import METRIC, assert_decision, assert_refused, decided, flow, settings_of

pytestmark = pytest.mark.shared

_TRIGGER = 5
_WORDS = {
    "at_least": ("lower", "lower_bound", "bound", "bounds"),
    "below": ("upper", "upper_bound"),
    "readings": ("trigger", "within_bounds_trigger"),
    "change": ("delta", "percent", "percentage", "value", "action", "actions"),
}
_KEYS = {word: key for key, words in _WORDS.items() for word in words}
_KNOWN = {"current", "samples", "lower", "upper", "trigger", "delta", "percent", "value"}


def _edges(given):
    named = {"lower": "at_least", "upper": "below"}
    return [(named[key], given[key]) for key in named if given.get(key) not in (None, "-inf", "+inf")]


def _changes(given):
    """Write every action of a check as the change of a band."""
    written = []
    if given.get("delta") is not None:
        written.append(given["delta"])
    if given.get("percent") is not None:
        percent = given["percent"]
        written.append(f"{percent}%" if isinstance(percent, str) else f"{percent:+}%")
    if given.get("value") is not None:
        written.append(f"={given['value']}")
    return [("change", change) for change in written]


def _policy(given):
    band = Band(**dict(_edges(given)), **dict(_changes(given)))
    span, trigger = float(len(given["samples"])), given.get("trigger", _TRIGGER)
    return Step(metric=METRIC, bands=(band,), for_seconds=span, readings=trigger, rounding="up", reading_is="total")


def test_step_does_what_a_threshold_does(case):
    given = case["input"]
    assert set(given) <= _KNOWN, "the adapter does not know every field"
    if "error" in case["expect"]:
        band = flow(*_edges(given), *_changes(given))
        step = flow(("metric", METRIC), ("for", "5s"), ("readings", given.get("trigger", _TRIGGER)), ("bands", f"[{band}]"))
        assert_refused(case, _KEYS, ("policies", f"[{{step: {step}}}]"))
        return
    decision = decided(settings_of(_policy(given)), given["current"], given["samples"])
    if case["expect"] == {"result": "no_result"}:  # Nomad's word for no action; a step says that the size stays
        assert decision.target == given["current"]
    else:
        assert_decision(case, decision)
