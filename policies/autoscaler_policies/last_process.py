"""Decide when the last process goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autoscaler.decide.exact import brief, tenths

State = Literal["activating", "active", "inactive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroRule:
    """The bounds of a count and the way to zero, after Knative's pod autoscaler (``scaler.go``, 2018 to 2026).

    A type without load is first held active at 1 for a stable window, then inactive for a grace, in which a proxy takes over its
    requests, and then it goes to 0. One that never became ready goes to 0 after ``activation_timeout_seconds``.
    """

    minimum: int = 0
    maximum: int | None = None
    initial_scale: int = 1  # more than 1 is the minimum until it is reached
    window_seconds: float
    grace_seconds: float
    retention_seconds: float = 0.0  # the least time the last process stays inactive
    activation_timeout_seconds: float = 630.0
    is_to_zero_allowed: bool = True
    is_reachable: bool = True  # nothing is kept for a type that no request reaches
    is_always_proxied: bool = False  # needs no look whether the proxy has taken over


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Where a process type stands between working and zero."""

    state: State
    age_seconds: float  # in this state
    is_initial_reached: bool
    is_proxied: bool = True  # a proxy or a listening socket holds its requests
    proxying_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to run; ``None`` is not known. Only what ``is_written`` is asked for, else the formation stays."""

    processes: int | None
    is_written: bool
    reason: str = ""  # when the count is not the one that was wanted


def bring_to_zero(wanted: int | None, rule: ZeroRule, life: Life) -> Outcome:
    """Keep a count (``None``: not known) within its bounds, and let the last process go when it may."""
    if wanted is None and life.state != "activating":
        return Outcome(None, is_written=False, reason="nothing is known yet")
    bounded = _within_bounds(wanted, rule, life)
    if bounded.processes != 0:
        return bounded
    if not rule.is_to_zero_allowed:
        return Outcome(1, is_written=True, reason="the last one stays")
    return {"activating": _activating, "active": _active, "inactive": _inactive}[life.state](rule, life)


def following_state(state: State, processes: int | None, running: int) -> State:
    """Return the state after ``processes`` came out (``None``: not known) while ``running`` were ready."""
    if processes == 0 or (processes is None and state == "inactive"):
        return "inactive"
    return "active" if running > 0 else "activating"


def _within_bounds(wanted: int | None, rule: ZeroRule, life: Life) -> Outcome:
    least, why = (rule.minimum if rule.is_reachable else 0), "at least"
    if not life.is_initial_reached and rule.initial_scale > max(1, least):
        least, why = rule.initial_scale, "to begin with"
    if wanted is None or wanted < least:
        return Outcome(least, is_written=True, reason=f"{least} {why}")
    if rule.maximum is not None and wanted > rule.maximum:
        return Outcome(rule.maximum, is_written=True, reason=f"{rule.maximum} at most")
    return Outcome(wanted, is_written=True)


def _activating(rule: ZeroRule, life: Life) -> Outcome:
    timeout = rule.activation_timeout_seconds
    if life.age_seconds > timeout:
        return Outcome(0, is_written=True, reason=f"none became ready in {brief(timeout)} s")
    return Outcome(None, is_written=False, reason="the first one is not ready yet")


def _active(rule: ZeroRule, life: Life) -> Outcome:
    left = rule.window_seconds - life.age_seconds
    if left <= 0:
        return Outcome(0, is_written=False, reason=f"the last one goes in {brief(max(rule.grace_seconds, _retention(rule)))} s")
    return Outcome(1, is_written=True, reason=f"the last one stays active {brief(left)} s more")


def _inactive(rule: ZeroRule, life: Life) -> Outcome:
    if not (life.is_proxied or rule.is_always_proxied):
        return Outcome(0, is_written=False, reason="the last one stays until a proxy holds its requests")
    left = max(_retention(rule) - life.age_seconds, rule.grace_seconds - max(life.age_seconds, life.proxying_seconds))
    if left <= 0:
        return Outcome(0, is_written=True)
    return Outcome(0, is_written=False, reason=f"the last one goes in {tenths(left)} s")


def _retention(rule: ZeroRule) -> float:
    return rule.retention_seconds if rule.is_reachable else 0.0
