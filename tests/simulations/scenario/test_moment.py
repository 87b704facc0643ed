"""A simulation begins at a date and time."""

import pytest

from autoscaler_simulations.scenario.moment import read_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970-01-02", 86400.0), ("1970-01-01 00:01", 60.0), ("1970-01-01T01:00:00+01:00", 0.0), ("2026-03-02 00:00", 1772409600.0)],
)
def test_time_is_utc_unless_it_names_an_offset(text, seconds):
    assert read_time(text) == seconds


@pytest.mark.parametrize("text", ["", "monday", "2026-13-01", "0001-01-01", "3000-01-01"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="write"):
        read_time(text)
