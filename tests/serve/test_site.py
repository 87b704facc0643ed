from __future__ import annotations

import json
from dataclasses import replace

import pytest

from autoscaler.events import Notice
from autoscaler.model import PolicyAnswer, Recommendation
from autoscaler.serve.message import Request, Response


@pytest.fixture
def ask(site):
    def ask(path: str) -> Response:
        return site.answer(Request(path=path))

    return ask


def test_controller_that_ticks_is_healthy(site, clock, ask, make_tick):
    clock.advance(600)
    site.ticked(make_tick(now=clock.now()))
    clock.advance(15)

    assert ask("/-/healthy").status == 200


def test_controller_that_stopped_ticking_is_not_healthy(site, clock, ask, make_tick):
    site.ticked(make_tick())
    clock.advance(15.5)

    answer = ask("/-/healthy")

    assert (answer.status, answer.body) == (503, b"The last tick was 16 s ago; one is due every 5 s.\n")


def test_short_interval_is_given_ten_seconds(site, settings, clock, ask):
    site.reconfigure(replace(settings, interval_seconds=1.0))

    clock.advance(9.5)
    before = ask("/-/healthy").status
    clock.advance(1.0)

    assert (before, ask("/-/healthy").status) == (200, 503)


def test_controller_that_never_ticked_is_not_healthy_for_long(clock, ask):
    before = ask("/-/healthy").status
    clock.advance(60)
    after = ask("/-/healthy")

    assert (before, after.status) == (200, 503)
    assert b"no tick since the start" in after.body


def test_site_is_ready_from_the_first_complete_tick_on(site, ask, make_tick):
    statuses = [ask("/-/ready").status]
    for is_complete in (False, True, False):
        site.ticked(make_tick(is_complete=is_complete))
        statuses.append(ask("/-/ready").status)

    assert statuses == [503, 503, 200, 200]


def test_status_is_json_with_the_uptime(site, clock, ask, make_tick):
    site.ticked(make_tick())
    clock.advance(61.5)

    answer = ask("/status")

    assert (answer.status, answer.headers) == (200, (("Content-Type", "application/json"),))
    assert json.loads(answer.body)["uptime_seconds"] == 61.5
    assert json.loads(answer.body)["formation"]["worker"]["target"] == 4


def test_status_that_is_not_json_says_so(site, ask, make_tick, make_decision):
    memory = PolicyAnswer("own", Recommendation(1, "because", float("nan")))
    site.ticked(make_tick(make_decision(answers=(memory,))))

    answer = ask("/status")

    assert answer.status == 500
    assert b"cannot be written as JSON" in answer.body


def test_reload_replaces_the_types_of_the_status(site, settings, ask):
    site.reconfigure(replace(settings, types=()))

    assert json.loads(ask("/status").body)["formation"] == {}


def test_failed_reload_shows_in_the_metrics(site, ask):
    site.noticed(Notice(event="reload", now=1.0, at=2.0, details={"ok": False}))

    assert b"autoscaler_config_reload_success 0.0" in ask("/metrics").body


@pytest.mark.parametrize("path", ["/", "/metrics/", "/metric", "/status.json", "/-/reload", "", "*"])
def test_other_paths_are_not_found(ask, path):
    assert ask(path).status == 404


def test_site_of_an_ending_controller_is_healthy_and_not_ready(site, ask, make_tick):
    site.ticked(make_tick(is_complete=True))
    site.end()

    assert (ask("/-/healthy").status, ask("/-/ready").status) == (200, 503)
