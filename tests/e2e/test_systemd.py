"""The example that a new user copies, moved under systemd: the controller is a unit with a user and rights of its own."""

import re

import pytest

from tests.systemd_app import QuietHost, SystemdApp, mount_autoscaler
from tests.systemd_machines import machines, switched_on  # noqa: F401 - a fixture

pytestmark = pytest.mark.server

_INFO, _WARNING, _ERROR = "6", "4", "3"
_TIME_OF_DAY = re.compile(r"\d\d:\d\d:\d\d")


@pytest.fixture
def app(machines, eventually):  # noqa: ARG001, F811 - it skips
    host = QuietHost()
    with switched_on(host):
        app = SystemdApp(host, eventually)
        app.install()
        app.wait(lambda: app.decides("web") and app.decides("worker"))
        yield app


def test_it_scales_out_and_in_under_its_own_load(app):
    with app.load(24, jobs=True):
        app.wait_for(web=3, worker=3)

    app.wait(lambda: app.running("web") + app.running("worker") == ["app-web@1.service", "app-worker@1.service"])
    app.wait(lambda: app.status() == "web 1 of 1, worker 1 of 1")
    assert {line["action"] for line in app.decisions("worker")} >= {"scale_out", "scale_in"}


def test_the_commands_work_as_the_controllers_user(app):
    assert "backend default: ok: web 1, worker 1\n" in app.command("check", "--connect")
    assert re.search(r"^worker: 1 -> 1 ", app.command("plan"), re.MULTILINE)
    assert "worker: 1 desired, 1 running; target 1 of 1 to 8\n" in app.command("status")


def test_a_killed_controller_takes_over_what_runs_and_changes_nothing(app):
    with app.load(10):
        app.wait_for(web=2, worker=1)
        app.wait(lambda: [line["action"] for line in app.decisions("web")[-3:]] == ["none"] * 3)
        ran, before = app.runs(), app.decisions("web")[-1]
        app.host.systemctl("kill", "--signal=KILL", "autoscaler.service")
        app.wait(lambda: len(app.decisions("web", after=before)) >= 6)

        after = app.decisions("web", after=before) + app.decisions("worker", after=before)
        assert {(line["process_type"], line["observed"]["desired"], line["target"]) for line in after} == {("web", 2, 2), ("worker", 1, 1)}
        assert app.runs() == ran
        # RestartSec, the start of a Python program, one interval; and time for a busy machine.
        assert min(line["at"] for line in after) - before["at"] < 2 * (1 + 1 + 1)
        assert app.host.properties("autoscaler.service", "NRestarts") == {"NRestarts": "1"}


def test_a_reload_takes_the_new_configuration_and_keeps_the_old_one_from_a_bad_one(app):
    app.change("minimum: 1\n    maximum: 8", "minimum: 9\n    maximum: 8")
    app.host.systemctl("reload", "autoscaler.service")
    app.wait(lambda: app.said("not reloaded, the old configuration stays: ") == _ERROR)
    seen = app.decisions("worker")[-1]
    app.wait(lambda: len(app.decisions("worker", after=seen)) >= 2)
    assert app.running("worker") == ["app-worker@1.service"]

    app.change("minimum: 9\n    maximum: 8", "minimum: 3\n    maximum: 8")
    app.host.systemctl("reload", "autoscaler.service")
    app.wait_for(worker=3)
    assert app.host.state("autoscaler.service") == ("active", "running")


def test_the_formation_stays_when_the_controller_is_stopped(app):
    ran = app.runs()

    app.host.systemctl("stop", "autoscaler.service")

    assert app.host.properties("autoscaler.service", "ActiveState", "Result") == {"ActiveState": "inactive", "Result": "success"}
    assert app.runs() == ran


def test_the_journal_has_one_plain_line_an_event_with_its_level(app):
    app.wait(lambda: app.said("metric requests_per_second is back"))
    entries = app.entries()

    assert app.said("scale_out worker 0 -> 1") == _INFO
    assert app.said("metric requests_per_second is missing") == _WARNING
    assert {entry["SYSLOG_IDENTIFIER"] for entry in entries} == {"autoscaler"}
    assert [entry["MESSAGE"] for entry in entries if not entry["MESSAGE"].isprintable() or _TIME_OF_DAY.search(entry["MESSAGE"])] == []


def test_a_controller_that_hangs_is_restarted_and_the_formation_stays(app):
    app.host.write("autoscaler.service.d/watchdog.conf", "[Service]\nWatchdogSec=3s\n")
    app.host.systemctl("restart", "autoscaler.service")
    ran = app.runs()

    app.host.systemctl("kill", "--signal=STOP", "autoscaler.service")

    app.wait(lambda: app.host.properties("autoscaler.service", "NRestarts", "ActiveState") == {"NRestarts": "1", "ActiveState": "active"})
    assert app.runs() == ran


def test_what_an_operator_stops_or_masks_is_left_alone_and_named(app):
    app.change("minimum: 1\n    maximum: 8", "minimum: 3\n    maximum: 8")
    app.host.systemctl("reload", "autoscaler.service")
    app.wait(lambda: app.runs_workers(1, 2, 3))

    app.host.systemctl("stop", "app-worker@2.service")
    app.wait(lambda: app.runs_workers(1, 3, 4))
    note = "worker.2 was stopped by somebody else"
    app.wait(lambda: app.said(f"worker: {note}") == _WARNING)
    assert [each for each in app.notes("worker") if each.startswith(note)]
    assert app.command("status").count(note) == 1

    app.host.systemctl("mask", "--now", "app-worker@3.service")
    app.wait(lambda: app.runs_workers(1, 4, 5))
    app.wait(lambda: app.said("worker.3 is masked on this machine"))

    app.host.systemctl("start", "app-worker@2.service")
    app.wait(lambda: app.said("worker.2 was started by somebody else"))
    app.wait(lambda: not [each for each in app.notes("worker") if note in each])


def test_a_deploy_restarts_every_process_and_the_controller_leaves_it_at_that(app):
    ran = app.runs()

    app.host.systemctl("restart", "app.target")

    app.wait(lambda: app.runs().keys() == ran.keys() and not app.runs().items() & ran.items())
    seen = app.decisions("web")[-1]
    app.wait(lambda: len(app.decisions("web", after=seen)) >= 3)
    assert app.said("somebody else") is None
    assert app.notes("web") + app.notes("worker") == []


def test_a_reboot_brings_the_formation_back(app):
    app.host.power_off()
    app.host.power_on()
    app.host.wait_up()
    # Until then systemd tries again to start the controller, every second.
    mount_autoscaler(app.host)

    app.wait_for(web=1, worker=1)
    app.wait(lambda: app.status() == "web 1 of 1, worker 1 of 1")
