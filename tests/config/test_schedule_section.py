"""Windows of the clock in the configuration file."""

import pytest

from autoscaler.decide.settings import Schedule, Window


def window(keys, *, limits="minimum: 1, maximum: 8"):
    return f"{limits}, schedule: {{windows: [{{{keys}}}]}}"


def test_schedule_is_read_with_its_time_zone(load):
    keys = 'schedule: {timezone: Europe/Budapest, windows: [{cron: "0 8 * * 1-5", for: 10h, minimum: 4}]}'
    (web,) = load(f"formation: {{web: {{maximum: 8, {keys}}}}}").types

    assert web.schedule == Schedule("Europe/Budapest", (Window(cron="0 8 * * 1-5", for_seconds=36000.0, minimum=4),))


def test_times_are_utc_where_no_zone_is_named(load):
    (web,) = load("formation: {web: {maximum: 8, schedule: {windows: [{cron: '0 8 * * *', until: '0 9 * * *', processes: 3}]}}}").types

    assert web.schedule == Schedule("UTC", (Window(cron="0 8 * * *", until="0 9 * * *", processes=3),))


def test_defaults_may_name_the_time_zone(load):
    windows = "windows: [{cron: '0 8 * * *', for: 1h, minimum: 3}]"

    assert (
        load(f"defaults: {{schedule: {{timezone: Asia/Tokyo}}}}\nformation: {{web: {{maximum: 8, schedule: {{{windows}}}}}}}")
        .types[0]
        .schedule.timezone
        == "Asia/Tokyo"
    )


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("cron: '0 8 * *', for: 1h, minimum: 2", "windows[0].cron: '0 8 * *' is no cron expression (Wrong number of fields); write minute"),
        ("cron: '0 0 30 2 *', for: 1h, minimum: 2", "windows[0].cron: '0 0 30 2 *' is no cron expression (Bad day-of-month); write minute"),
        ("cron: '*/10 * * * * *', for: 5s, minimum: 2", "windows[0].cron: '*/10 * * * * *' is no cron expression (Wrong number of fields)"),
        ("cron: '0 8 * * *', until: '0 8 * * *', minimum: 2", "windows[0].until: is when it begins as well, so that it would never be open"),
        ("for: 1h, minimum: 2", "windows[0]: has no cron; write when it begins"),
        ("cron: '0 8 * * *', minimum: 2", "windows[0]: does not say how long it lasts; write `for: 10h` or"),
        ("cron: '0 8 * * *', for: 1h, until: '0 9 * * *', minimum: 2", "windows[0].until: stands beside for; keep one of them"),
        ("cron: '0 8 * * *', until: 'noon', minimum: 2", "windows[0].until: 'noon' is no cron expression"),
        ("cron: '0 8 * * *', for: 1h", "windows[0]: changes nothing; give it a minimum, a maximum, or processes"),
        ("cron: '0 8 * * *', for: 1h, minimum: 4, maximum: 2", "windows[0].minimum: 4 is above maximum 2; lower one of them"),
        ("cron: '0 8 * * *', for: 1h, minimum: 4, processes: 2", "windows[0].processes: stands beside minimum or maximum"),
        ("cron: '0 8 * * *', for: 1h, minimum: 4, at_once: true", "windows[0].at_once: has no effect without maximum or processes"),
        ("cron: '0 8 * * *', for: 1h, minimum: 9", "windows[0].minimum: 9 is above maximum 8 of the type"),
        ("cron: '0 8 * * *', for: 1h, maximum: 9", "windows[0].maximum: 9 is above maximum 8 of the type"),
        ("cron: '0 8 * * *', for: 1h, minimum: 0", "windows[0].minimum: 0 is below minimum 1 of the type, and a window only raises it"),
        ("cron: '0 8 * * *', fro: 1h, minimum: 2", "windows[0].fro: unknown key; did you mean for?"),
    ],
)
def test_mistake_in_a_window_says_the_fix(type_mistakes, keys, sentence):
    assert any(found.startswith(f"formation.web.schedule.{sentence}") for found in type_mistakes(window(keys)))


def test_unknown_time_zone_names_a_near_one(type_mistakes):
    assert type_mistakes("maximum: 4, schedule: {timezone: Europe/Budapset}") == [
        "formation.web.schedule.timezone: 'Europe/Budapset' is no time zone; did you mean Europe/Budapest?"
    ]


def test_window_of_the_defaults_is_checked_where_it_stands(mistakes):
    (line,) = mistakes("defaults: {schedule: {windows: [{cron: x, for: 1h, minimum: 2}]}}\nformation: {web: {maximum: 4}}")

    assert line.startswith("autoscaler.yaml:1:40: defaults.schedule.windows[0].cron: 'x' is no cron expression")
