"""Stage 2: windows of the clock."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from autoscaler.decide.schedule import bounds_at, is_open, last_time
from autoscaler.decide.settings import DirectionLimits, RateLimit, Schedule, Window
from autoscaler.model import ProcessType

BUDAPEST = "Europe/Budapest"
OFFICE = Window(cron="0 8 * * 1-5", for_seconds=36000.0, minimum=4)
WEB = ProcessType(name="web", minimum=1, maximum=40)


def wall(text, zone=BUDAPEST, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("at", "is_it"),
    [
        ("2026-11-26T07:59:59", False),  # a Thursday
        ("2026-11-26T08:00:00", True),
        ("2026-11-26T17:59:59", True),
        ("2026-11-26T18:00:00", False),
        ("2026-11-28T09:00:00", False),  # a Saturday
    ],
)
def test_window_is_open_from_its_cron_time_for_its_duration(at, is_it):
    assert is_open(OFFICE, BUDAPEST, wall(at)) is is_it


def test_window_ends_at_another_cron_time():
    night = Window(cron="0 22 * * *", until="0 6 * * *", minimum=2)

    assert [is_open(night, BUDAPEST, wall(f"2026-11-26T{hour}:30:00")) for hour in ("21", "22", "05", "06")] == [False, True, True, False]


def test_time_that_daylight_saving_skips_begins_right_after():
    early = Window(cron="30 2 * * *", for_seconds=600.0, minimum=2)

    assert not is_open(early, BUDAPEST, wall("2026-03-29T01:59:59"))
    assert is_open(early, BUDAPEST, wall("2026-03-29T03:00:00"))
    assert not is_open(early, BUDAPEST, wall("2026-03-29T03:10:00"))


def test_time_that_daylight_saving_repeats_begins_once():
    early = Window(cron="30 2 * * *", for_seconds=600.0, minimum=2)

    assert is_open(early, BUDAPEST, wall("2026-10-25T02:30:00", fold=0))
    assert not is_open(early, BUDAPEST, wall("2026-10-25T02:30:00", fold=1))


@pytest.mark.parametrize(("zone", "day", "cron"), [(BUDAPEST, "2026-10-25", "30 2 * * *"), ("America/New_York", "2026-11-01", "30 1 * * *")])
def test_window_stays_open_through_the_hour_that_is_repeated(zone, day, cron):
    window, midnight = Window(cron=cron, for_seconds=36000.0, minimum=2), wall(f"{day}T00:00:00", zone)
    minutes = [is_open(window, zone, midnight + 60.0 * minute) for minute in range(14 * 60)]
    start = int(cron[0:2]) + 60 * int(cron[3])

    assert minutes == [False] * start + [True] * 600 + [False] * (840 - 600 - start)


@pytest.mark.parametrize("cron", ["* * * * *", "*/20 * * * *", "30 2 * * *", "0 2 * * *", "30 * * * *", "15 1,2,3 * * 0", "0 0 1 * *"])
@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24", "2026-11-26"])
def test_last_time_is_the_last_that_cron_gives_going_forward(cron, day):
    begin = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=ZoneInfo(BUDAPEST))
    times = []
    for time in CronSim(cron, begin - timedelta(days=40)):
        if time.timestamp() > begin.timestamp() + 2 * 86400:
            break
        times.append(time.timestamp())

    for minute in range(int(begin.timestamp() // 60), int(begin.timestamp() // 60) + 2 * 1440, 7):
        assert last_time(cron, BUDAPEST, minute) == max(time for time in times if time <= minute * 60)


def test_end_by_cron_keeps_the_clock_on_the_wall_across_daylight_saving():
    night = Window(cron="0 22 * * *", until="0 6 * * *", minimum=2)
    hours = Window(cron="0 22 * * *", for_seconds=8 * 3600.0, minimum=2)

    assert not is_open(night, BUDAPEST, wall("2026-03-29T06:00:00"))
    assert is_open(hours, BUDAPEST, wall("2026-03-29T06:59:00"))


def test_same_window_opens_at_another_moment_in_another_zone():
    at = wall("2026-11-26T08:30:00", "Asia/Tokyo")

    assert is_open(OFFICE, "Asia/Tokyo", at)
    assert not is_open(OFFICE, BUDAPEST, at)


def test_outside_of_every_window_the_configuration_alone_counts():
    assert bounds_at(WEB, Schedule(BUDAPEST, (OFFICE,)), wall("2026-11-26T20:00:00")) is None


def test_of_several_windows_the_highest_minimum_and_the_lowest_maximum_count():
    always = {"cron": "* * * * *", "for_seconds": 60.0}
    windows = (Window(**always, minimum=4), Window(**always, minimum=6), Window(**always, maximum=20), Window(**always, maximum=10))
    bounds = bounds_at(WEB, Schedule("UTC", windows), 1e9)

    assert (bounds.minimum, bounds.maximum, bounds.hard_maximum) == (6, 10, 40)


def test_where_windows_contradict_each_other_the_maximum_counts():
    always = {"cron": "* * * * *", "for_seconds": 60.0}
    bounds = bounds_at(WEB, Schedule("UTC", (Window(**always, minimum=6), Window(**always, processes=0))), 1e9)

    assert (bounds.minimum, bounds.maximum) == (0, 0)


@pytest.fixture
def office(make_type):
    """A type five seconds before its window opens, which wants 4 processes at least."""
    return make_type(
        1,
        schedule=Schedule(BUDAPEST, (OFFICE,)),
        wall=wall("2026-11-26T07:59:50"),
        scale_out=DirectionLimits(600.0, 600.0, (RateLimit(1, "processes", 600.0),)),
    )


def test_minimum_is_raised_at_once_whatever_the_limits_say(office):
    before, after = office.tick(1), office.tick(1)

    assert (before.target, after.target) == (1, 4)
    assert "at least 4 in the window '0 8 * * 1-5'" in after.reason


def test_paused_type_ignores_its_windows(office, held_still):
    office.pause = held_still

    assert [office.tick(1).target for _ in range(3)] == [1, 1, 1]


def test_maximum_lowered_in_the_evening_drains_by_the_limits(make_type):
    evening = Window(cron="0 18 * * *", for_seconds=36000.0, maximum=4)
    slow = DirectionLimits(300.0, 0.0, (RateLimit(25, "percent", 60.0),))
    one = make_type(40, schedule=Schedule(BUDAPEST, (evening,)), wall=wall("2026-11-26T17:50:00"), scale_in=slow)
    sizes = [one.tick(40, after=10.0).target for _ in range(180)]

    assert sizes[:88] == [40] * 88  # until 18:04:50 the window holds what was wanted before 18:00
    assert list(dict.fromkeys(sizes)) == [40, 30, 22, 16, 12, 9, 6, 4]


def test_maximum_may_hold_at_once(make_type):
    evening = Window(cron="0 18 * * *", for_seconds=36000.0, maximum=4, at_once=True)
    one = make_type(40, schedule=Schedule(BUDAPEST, (evening,)), wall=wall("2026-11-26T17:59:50"), scale_in=DirectionLimits(300.0))

    assert [one.tick(40).target for _ in range(3)] == [40, 4, 4]


def test_window_that_fixes_the_number_ends_what_policies_want(make_type):
    fixed = Window(cron="0 18 * * *", for_seconds=3600.0, processes=7)
    one = make_type(5, schedule=Schedule(BUDAPEST, (fixed,)), wall=wall("2026-11-26T18:00:00"))

    assert [one.tick(2).target, one.tick(30).target] == [7, 7]


def test_window_raises_the_minimum_without_any_data(office):
    assert [office.tick("down").target for _ in range(2)] == [1, 4]
