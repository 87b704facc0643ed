"""Arithmetic that was read off the source of php-fpm, Apache's prefork and Cloud Foundry's autoscaler."""

import pytest

from autoscaler_policies.spare import Spare
from autoscaler_policies.step import Step
from autoscaler_policies.step_bands import Band
from tests.conformance.one_type import METRIC, Course, check_of, decided, settings_of

pytestmark = pytest.mark.shared


def _check_adjustment(given, expect):
    policy = Step(metric=METRIC, bands=(Band(above=0, change=given["adjustment"]),), rounding="nearest", reading_is="total")

    assert {"desired": decided(settings_of(policy), given["current"], [1.0]).target} == expect


def _check_spare(mode, start, given, expect):
    policy = Spare(mode=mode, busy=METRIC, minimum_spare=given["min_spare"], maximum_spare=given["max_spare"])
    course = Course(settings_of(policy, maximum=given["max"]), start)
    sizes = [course.tick(float(min(wanted, course.size))).target for wanted in given["busy_per_tick"]]

    assert {"sizes": sizes} == expect


_SPARE = {"min_spare", "max_spare", "max", "busy_per_tick"}
_CHECKS = {
    frozenset({"current", "adjustment"}): _check_adjustment,
    frozenset({"active", "idle", *_SPARE}): lambda given, expect: _check_spare("dynamic", given["active"] + given["idle"], given, expect),
    frozenset({"start", *_SPARE}): lambda given, expect: _check_spare("prefork", given["start"], given, expect),
}


def test_figures_of_the_source_are_met(case):
    check_of(case, _CHECKS)(case["input"], case["expect"])
