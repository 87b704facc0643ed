from __future__ import annotations

from dataclasses import replace

from autoscaler import __version__
from autoscaler.decide.settings import Pause
from autoscaler.record import decision_line
from autoscaler.serve.status import status

NOT_READ = {"value": None, "age_seconds": None, "cause": "not read yet", "errors": 0}


def test_status_before_the_first_tick_names_what_is_configured(settings):
    value = status(None, settings, uptime_seconds=0.5)

    assert value == {
        "version": __version__,
        "configuration": "/srv/app/autoscaler.yaml",
        "interval_seconds": 5.0,
        "uptime_seconds": 0.5,
        "at": None,
        "is_complete": False,
        "ticks_missed": 0,
        "formation": {
            "worker": {
                "counts": None,
                "target": None,
                "minimum": 0,
                "maximum": 40,
                "startup_seconds": None,
                "is_crash_looping": False,
                "paused": None,
                "notes": [],
                "error": None,
                "decision": None,
            }
        },
        "metrics": {"jobs_waiting": NOT_READ, "requests_per_second": NOT_READ},
    }


def test_status_tells_counts_target_and_decision(settings, make_tick):
    tick = make_tick(missed=2)

    value = status(tick, settings, uptime_seconds=61.5)

    worker = value["formation"]["worker"]
    assert worker["counts"] == {"desired": 2, "running": 2, "starting": 0, "draining": 1, "failed": 0, "unknown": 0}
    assert (worker["target"], worker["startup_seconds"]) == (4, 3.5)
    assert worker["decision"] == decision_line(tick.decisions[0])
    assert (value["at"], value["is_complete"], value["ticks_missed"]) == (1763800000.0, True, 2)


def test_status_tells_readings_and_causes(settings, make_tick):
    value = status(make_tick(), settings, uptime_seconds=61.5)

    assert value["metrics"] == {
        "jobs_waiting": {"value": 700.0, "age_seconds": 0.4, "cause": None, "errors": 0},
        "requests_per_second": {"value": None, "age_seconds": None, "cause": "connection refused", "errors": 3},
    }


def test_status_tells_pause_and_error(settings, make_tick):
    tick = make_tick(pauses={"worker": Pause(scale_in=True, reason="deploy")}, errors={"worker": "refused"})

    worker = status(tick, settings, uptime_seconds=61.5)["formation"]["worker"]

    assert worker["paused"] == {"scale_out": False, "scale_in": True, "reason": "deploy"}
    assert worker["error"] == "refused"


def test_type_that_was_not_observed_is_still_named(settings, make_tick):
    tick = make_tick(decisions=(), formations={}, errors={"worker": "the backend does not answer"})

    worker = status(tick, settings, uptime_seconds=61.5)["formation"]["worker"]

    assert (worker["counts"], worker["target"], worker["maximum"]) == (None, None, 40)
    assert worker["error"] == "the backend does not answer"


def test_settings_made_in_the_program_have_no_path(settings):
    assert status(None, replace(settings, path=None), uptime_seconds=0.5)["configuration"] is None


def test_limits_are_those_of_the_moment(make_tick, settings):
    worker = status(make_tick(limits={"worker": (4, 6)}), settings, uptime_seconds=1.0)["formation"]["worker"]

    assert (worker["minimum"], worker["maximum"]) == (4, 6)
