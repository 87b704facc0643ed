"""Knative's delay of a scale-in, against the sliding maximum."""

import pytest

from autoscaler.decide.window import Sized, highest, push_highest

pytestmark = pytest.mark.shared


def test_the_highest_of_the_last_buckets_counts(case):
    window, seen = (), []
    for record in case["records"]:
        window = push_highest(window, Sized(record["bucket"], record["value"]), case["size_buckets"])
        seen.append(highest(window, record["bucket"], case["size_buckets"]))

    assert seen == case["expect"]["max_after_each"]
