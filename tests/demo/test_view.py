import pytest

from autoscaler.demo.curve import Curve
from autoscaler.demo.view import ASCII, BLOCKS, Story, marks_for, rows_of
from autoscaler.model import Counts

STORY = Story(Curve(100), began=1000.0)


@pytest.mark.parametrize(("encoding", "marks"), [("utf-8", BLOCKS), ("ascii", ASCII), ("no-such-encoding", ASCII)])
def test_blocks_are_drawn_where_the_encoding_has_them(encoding, marks):
    assert marks_for(encoding) == marks


def test_the_bar_has_one_mark_for_each_process():
    assert ASCII.bar(Counts(desired=3, running=2, starting=1, draining=4)) == "##+----"


def test_the_story_knows_phase_and_time_left():
    assert STORY.phase(1040.0) == "burst"
    assert STORY.seconds_left(1040.0) == 60.0


@pytest.mark.parametrize(("now", "elapsed"), [(999.0, 0.0), (1100.5, 100.0)])
def test_the_story_stays_within_its_time(now, elapsed):
    assert STORY.elapsed(now) == elapsed


def test_a_row_says_the_load_in_words(make_tick):
    row = rows_of(make_tick(readings={"requests_per_second": 21.04, "jobs_waiting": 3.0}, missing={"jobs_running": "stale"}))[0]
    assert row.load == "21 requests per second, 3 jobs waiting, jobs running unknown"
    assert (row.name, row.target, row.reason) == ("web", 3, "21 / 7 per process = 3 -> 3")
