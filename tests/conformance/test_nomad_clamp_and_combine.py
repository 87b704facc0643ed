"""Nomad's limits, and which of several checks wins: up before none before down, then the higher count."""

from dataclasses import dataclass

import pytest

from autoscaler.model import Abstain, Missing, Recommendation
from tests.conformance.one_type import METRIC, Answering, decided, direction_of, settings_of

pytestmark = pytest.mark.shared

_ABSTAIN = Abstain("no vote")
_NO_DATA = Missing(METRIC, "no check has a result")


@dataclass(frozen=True)
class _Sizes:
    """A size between the downs and the ups of a case; the ups are raised above it, which keeps their order."""

    current: int
    raised: int

    def answer_to(self, vote, *, is_alone):
        """Turn a vote into an answer; beside other votes of a named group, ``none`` has nothing to say."""
        if vote is None:
            return _ABSTAIN
        if vote == "none":
            return Recommendation(self.current, "none") if is_alone else _ABSTAIN
        direction, count = vote.split(":")
        return Recommendation(int(count) + {"up": self.raised, "down": 0}[direction], vote)


def _counts(groups, direction):
    votes = [vote.split(":") for group in groups.values() for vote in group if vote not in (None, "none")]
    assert {vote[0] for vote in votes} <= {"up", "down"}, "the adapter does not know every vote"
    return [int(vote[1]) for vote in votes if vote[0] == direction]


def _sizes(groups):
    current = max(_counts(groups, "down"), default=0) + 1
    return _Sizes(current, max(0, current + 1 - min(_counts(groups, "up"), default=current + 1)))


def _answer_of(name, group, sizes):
    votes = [vote for vote in group if vote is not None]
    if not votes:
        return _ABSTAIN
    is_alone = not name or all(vote == "none" for vote in votes)
    answers = [Answering(sizes.answer_to(vote, is_alone=is_alone)) for vote in group]
    return Recommendation(decided(settings_of(*answers), sizes.current, []).target, name)


def _assert_combined(groups, expect):
    sizes = _sizes(groups)
    answers = [_answer_of(name, group, sizes) for name, group in groups.items()]
    if all(answer == _ABSTAIN for answer in answers):
        answers = [_NO_DATA]  # of checks without any result nothing is known, and the size is held
    target = decided(settings_of(*map(Answering, answers)), sizes.current, []).target
    direction = direction_of(sizes.current, target)
    wanted = {key: value for key, value in expect.items() if value is not None}

    if wanted == {"result": "no_result"}:
        assert direction == "none"
    else:
        assert wanted == {"direction": direction} | ({"desired": target - (sizes.raised if direction == "up" else 0)} if "desired" in wanted else {})


def _assert_clamped(given, expect):
    settings = settings_of(Answering(Recommendation(given["desired"], "desired")), minimum=given["min"], maximum=given["max"])
    decision = decided(settings, given["desired"], [])
    limited = [adjustment for adjustment in decision.adjustments if adjustment.rule == "limits"]
    original = limited[0].before if limited else decision.target

    assert {"desired": decision.target, "clamped": bool(limited), "original": original} == expect


def test_limits_and_combine_decide_as_nomad(case):
    check = {"clamp": _assert_clamped, "combine": lambda given, expect: _assert_combined(given["groups"], expect)}[case["kind"]]

    check(case["input"], case["expect"])
