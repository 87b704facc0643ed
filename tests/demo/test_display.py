import io
import json

import pytest

from autoscaler.demo.curve import Curve
from autoscaler.demo.display import PlainLines, RecordLines
from autoscaler.demo.live_table import LiveTable, draw
from autoscaler.demo.summary import Served, Summary
from autoscaler.demo.usage import Moment
from autoscaler.demo.view import ASCII, Story, rows_of
from autoscaler.demo.waits import Waits
from autoscaler.events import Notice

STORY = Story(Curve(100), began=1000.0)
MOMENTS = (Moment(1000.0, 1, "scale_out"), Moment(1050.0, 2, "scale_in"))
SUMMARY = Summary(100.0, 1100.0, {"web": MOMENTS}, Served(9, Waits(0.1, 0.2), 99, 0, Waits(0.1, 0.2)), 0)
NOTICE = Notice(event="start", now=1000.0, at=0.0, details={})


class Paper(io.StringIO):
    """Stands for the outlet, which is a text file too, and has an encoding."""

    encoding = "ascii"


@pytest.fixture
def paper():
    return Paper()


def test_record_lines_are_json_and_nothing_else(paper, make_tick):
    display = RecordLines(paper)
    display.begin(STORY)
    display.noticed(NOTICE)
    display.ticked(make_tick(readings={"requests_per_second": 21.0}))
    display.stop()
    display.conclude(SUMMARY)
    start, decision, summary = map(json.loads, paper.getvalue().splitlines())
    assert start["event"] == NOTICE.event
    assert (decision["event"], decision["process_type"], decision["observed"]["running"]) == ("decision", "web", 1)
    assert summary == SUMMARY.as_json()


def test_plain_lines_say_that_the_windows_are_short(paper):
    PlainLines(paper).begin(STORY)
    assert "The windows are a few seconds" in paper.getvalue()


@pytest.mark.parametrize(("action", "lines"), [("none", 1), ("hold", 1), ("scale_out", 2), ("scale_in", 2)])
def test_plain_lines_tell_every_change_at_once(paper, make_tick, action, lines):
    display = PlainLines(paper)
    display.begin(STORY)
    paper.truncate(0)
    display.ticked(make_tick(now=1001.0))
    display.ticked(make_tick(now=1002.0, action=action))
    assert paper.getvalue().count("web") == lines


def test_plain_lines_come_every_few_seconds_without_a_change(paper, make_tick):
    display = PlainLines(paper)
    display.begin(STORY)
    paper.truncate(0)
    for second in range(11):
        display.ticked(make_tick(now=1000.0 + second))
    assert paper.getvalue().count("web") == 3


def test_a_plain_line_has_time_phase_processes_and_reason(paper, make_tick):
    display = PlainLines(paper)
    display.begin(STORY)
    display.ticked(make_tick(now=1040.0, running=2, starting=1, action="scale_out", readings={"requests_per_second": 21.0}))
    line = paper.getvalue().splitlines()[-1]
    assert line.split("  ", 2)[1:] == ["40 s", line.split("  ", 2)[2]]
    for part in ("burst", "##+", "21 requests per second", "scale out to 3: 21 / 7 per process = 3 -> 3"):
        assert part in line


def test_nothing_is_shown_before_the_beginning(paper, make_tick):
    for display in (PlainLines(paper), LiveTable(paper)):
        display.noticed(NOTICE)
        display.ticked(make_tick())
    assert paper.getvalue() == ""


def test_plain_lines_end_with_charts_and_figures(paper):
    display = PlainLines(paper)
    display.stop()
    display.conclude(SUMMARY)
    assert "web: processes over 100 s" in paper.getvalue()
    assert "jobs done          9" in paper.getvalue()


def test_the_table_is_drawn_on_each_tick(paper, make_tick):
    display = LiveTable(paper)
    display.begin(STORY)
    display.ticked(make_tick(now=1040.0, running=2, starting=1, draining=1))
    display.stop()
    display.conclude(SUMMARY)
    for part in ("60 s left", "load: burst", "##+-", "nothing is left running"):
        assert part in paper.getvalue()


def test_the_table_has_a_row_for_each_type(make_tick):
    header, table, legend = draw(rows_of(make_tick()), STORY, 1040.0, ASCII).renderables
    assert header.plain == "60 s left   load: burst"
    assert table.row_count == 1
    assert legend.plain == "# running  + starting  - draining"
