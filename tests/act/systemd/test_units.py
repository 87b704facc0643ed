"""The systemd backend on one machine: what it starts, stops, sees and leaves alone."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.systemd import Systemd
from autoscaler.model import Address, Counts
from tests.bus_relay import BusRelay
from tests.systemd_formation import SLEEPER, unit_type, units_of, use

pytestmark = pytest.mark.server

STUBBORN = """
[Service]
ExecStart=/bin/sleep 1000
KillSignal=SIGWINCH
Restart=always
TimeoutStopSec={seconds}
"""
CRASHING = """
[Unit]
StartLimitIntervalSec={interval}
StartLimitBurst=3
[Service]
ExecStart=/bin/false
Restart=always
RestartSec=50ms
"""


def started(machine, unit: str) -> str:
    """Return what tells one run of a unit from the next."""
    return machine.properties(unit, "InvocationID")["InvocationID"]


def test_the_lowest_free_numbers_start_and_the_highest_stop_first(units, user_manager):
    units.connect().scale_and_wait(web=4)
    units.scale_and_wait(web=2)
    assert user_manager.active("app-web@*") == ["app-web@1.service", "app-web@2.service"]
    user_manager.systemctl("stop", "app-web@1.service")
    units.wait_counts(desired=1)
    units.scale_and_wait(web=3)
    assert units.names() == ["web.2", "web.3", "web.4"]


def test_what_runs_is_taken_over_without_a_change(units, user_manager):
    user_manager.systemctl("start", "app-web@2.service", "app-web@5.service")
    before = [started(user_manager, f"app-web@{number}.service") for number in (2, 5)]
    units.connect()
    assert units.counts() == Counts(desired=2, running=2)
    assert units.names() == ["web.2", "web.5"]
    units.scale_and_wait(web=3)
    assert units.names() == ["web.1", "web.2", "web.5"]
    assert [started(user_manager, f"app-web@{number}.service") for number in (2, 5)] == before


def test_closing_leaves_the_formation_and_the_next_connection_finds_it(units, user_manager):
    units.connect().scale_and_wait(web=3)
    before = started(user_manager, "app-web@3.service")
    units.close()
    assert len(user_manager.active("app-web@*")) == 3
    units.connect()
    assert units.counts() == Counts(desired=3, running=3)
    assert started(user_manager, "app-web@3.service") == before


def test_an_observer_touches_nothing(units, user_manager):
    user_manager.systemctl("start", "app-web@1.service")
    backend = units.plugin.observer((unit_type(),))
    try:
        assert backend.observe().types["web"].counts == Counts(desired=1, running=1)
        backend.scale(())
    finally:
        units.backend = backend
    assert user_manager.active("app-web@*") == ["app-web@1.service"]


def test_a_crash_is_seen_at_once_and_restarting_is_left_to_systemd(units, user_manager):
    user_manager.write("app-web@.service", SLEEPER.replace("RestartSec=200ms", "RestartSec=1s"))
    units.connect().scale_and_wait(web=3)
    os.kill(user_manager.main_pid("app-web@2.service"), signal.SIGKILL)
    units.wait_counts(failed=1, running=2, desired=3)
    assert units.names(state="failed") == ["web.2"]
    units.wait_counts(running=3)
    assert "web.2 failed: signal" in units.happenings
    assert units.see().starts == 4
    assert not units.see().is_crash_looping


def test_a_type_whose_units_crash_again_and_again_is_crash_looping(units, user_manager):
    user_manager.write("app-web@.service", CRASHING.format(interval=0))
    units.connect().scale(web=2)
    units.wait(lambda seen: seen.is_crash_looping)
    assert any("crash looping" in note for note in units.see().notes)
    assert units.counts().desired == 2


def test_a_unit_at_its_start_limit_is_failed_and_its_type_crash_looping(units, user_manager):
    user_manager.write("app-web@.service", CRASHING.format(interval=60))
    units.connect().scale(web=1)
    units.wait(lambda seen: seen.is_crash_looping and any("systemd gave up" in note for note in seen.notes))
    assert units.counts() == Counts(desired=1, failed=1)
    assert user_manager.state("app-web@1.service")[0] == "failed"


def test_a_crash_loop_is_known_to_a_controller_that_starts_later(units, user_manager):
    user_manager.write("app-web@.service", CRASHING.format(interval=60))
    user_manager.systemctl("start", "app-web@1.service", check=False)
    units.eventually(lambda: user_manager.state("app-web@1.service")[0] == "failed")
    units.connect()
    units.wait(lambda seen: seen.is_crash_looping and seen.counts == Counts(desired=1, failed=1))


def test_a_failed_unit_is_the_first_to_go_and_leaves_nothing_behind(units, user_manager):
    user_manager.write("app-web@.service", SLEEPER.replace("Restart=always", "Restart=no"))
    units.connect().scale_and_wait(web=3)
    os.kill(user_manager.main_pid("app-web@1.service"), signal.SIGKILL)
    units.wait_counts(failed=1)
    units.scale_and_wait(web=2)
    assert units.names() == ["web.2", "web.3"]
    assert user_manager.state("app-web@1.service")[0] == "inactive"
    units.scale_and_wait(web=3)
    assert units.names() == ["web.1", "web.2", "web.3"]


def test_a_unit_that_ends_by_itself_stays_one_of_the_desired_and_is_named(units, user_manager):
    user_manager.write("app-web@.service", "[Service]\nExecStart=/bin/sleep 0.2\n")
    units.connect().scale(web=1)
    units.wait(lambda seen: any("Restart=always" in note for note in seen.notes))
    assert units.counts() == Counts(desired=1, failed=1)


def test_a_unit_stopped_by_an_operator_is_named_and_left_alone(units, user_manager):
    units.connect().scale_and_wait(web=3)
    user_manager.systemctl("stop", "app-web@2.service")
    assert "web.2 was stopped by somebody else" in units.wait_told("stopped")
    assert units.counts() == Counts(desired=2, running=2)
    units.scale_and_wait(web=3)
    assert units.names() == ["web.1", "web.3", "web.4"]
    user_manager.systemctl("start", "app-web@2.service")
    units.wait_told("web.2 was started by somebody else")
    assert units.counts() == Counts(desired=4, running=4)
    assert units.see().notes == ()


def test_a_unit_restarted_by_an_operator_is_no_change(units, user_manager):
    units.connect().scale_and_wait(web=2)
    before = started(user_manager, "app-web@1.service")
    user_manager.systemctl("restart", "app-web@1.service")
    units.eventually(lambda: started(user_manager, "app-web@1.service") != before)
    units.wait_counts(running=2)
    assert units.counts() == Counts(desired=2, running=2)
    assert units.happenings == []


def test_masked_units_are_skipped(units, user_manager):
    user_manager.systemctl("mask", "--runtime", "app-web@2.service")
    units.connect().scale_and_wait(web=3)
    assert units.names() == ["web.1", "web.3", "web.4"]
    assert units.see().notes == ("app-web@2.service is masked on this machine and passed over",)
    user_manager.systemctl("unmask", "--runtime", "app-web@2.service")
    units.wait(lambda seen: seen.notes == ())


def test_a_mask_of_everything_is_a_refusal_in_words(units, user_manager):
    template = user_manager.units / "app-web@.service"
    template.unlink()
    template.symlink_to("/dev/null")
    user_manager.systemctl("daemon-reload")
    units.connect()
    assert "masked" in units.try_scale(web=2)[0]
    template.unlink()
    user_manager.write("app-web@.service", SLEEPER)
    units.eventually(lambda: units.try_scale(web=2) == [None])
    units.wait_counts(running=2)


def test_without_a_unit_file_scaling_is_refused_in_words(units):
    units.connect(unit_type("web"), unit_type("ghost"))
    errors = units.try_scale(ghost=1, web=1)
    assert "there is no app-ghost@.service on this machine" in errors[0]
    assert errors[1] is None
    units.wait_counts(running=1)


def test_a_draining_unit_is_no_capacity_and_its_number_is_not_free(units, user_manager):
    user_manager.write("app-web@.service", STUBBORN.format(seconds="30s"))
    units.connect().scale_and_wait(web=2)
    units.scale(web=1)
    units.wait_counts(draining=1, running=1)
    units.scale(web=3)
    units.wait_counts(running=3, draining=1, desired=3)
    assert units.names() == ["web.1", "web.3", "web.4"]
    assert units.names(state="draining") == ["web.2"]
    os.kill(user_manager.main_pid("app-web@2.service"), signal.SIGKILL)
    units.wait_counts(draining=0, running=3)
    assert user_manager.state("app-web@2.service")[0] == "inactive"


def test_a_drain_that_systemd_had_to_kill_is_counted_and_cleared_away(units, user_manager):
    user_manager.write("app-web@.service", STUBBORN.format(seconds="300ms"))
    units.connect().scale_and_wait(web=1)
    units.scale(web=0)
    units.wait(lambda seen: seen.drains_killed == 1 and seen.counts == Counts(desired=0))
    units.eventually(lambda: user_manager.state("app-web@1.service")[0] == "inactive")


def test_a_start_taken_back_at_once_ends_with_nothing(units, user_manager):
    units.connect()
    for _ in range(10):
        units.scale(web=20)
        units.scale(web=0)
    units.wait(lambda seen: seen.processes == () and seen.counts == Counts(desired=0))
    units.eventually(lambda: user_manager.active("app-web@*") == [])
    assert units.happenings == []
    units.scale_and_wait(web=2)


def test_two_hundred_come_and_go(units, user_manager):
    units.connect()
    units.scale(web=200)
    units.wait_counts(running=200, seconds=60)
    assert len(user_manager.active("app-web@*")) == 200
    units.scale(web=0)
    units.wait(lambda seen: seen.processes == (), seconds=60)
    assert units.see().starts == 200


@pytest.mark.parametrize("command", ["daemon-reload", "daemon-reexec"])
def test_systemd_may_load_or_execute_itself_anew_meanwhile(units, user_manager, command):
    units.connect()
    for target in (12, 3, 15):
        units.scale(web=target)
        user_manager.systemctl(command)
        units.wait_counts(running=target, desired=target, starting=0, draining=0, seconds=60)
    units.eventually(lambda: len(user_manager.active("app-web@*")) == 15)
    assert [told for told in units.happenings if "somebody" in told] == []


@pytest.fixture
def relay(units, user_manager, monkeypatch):
    """Have the backend reach the bus through a relay that can be cut."""
    made = BusRelay(Path(user_manager.environment["XDG_RUNTIME_DIR"]) / "bus")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(made.folder))
    yield made
    units.close()
    made.discard()


def is_away(units) -> bool:
    try:
        units.observe()
    except BackendError as error:
        return "does not answer" in str(error)
    return False


def is_back(units, counts: Counts) -> bool:
    try:
        return units.counts() == counts
    except BackendError:
        return False


def test_a_bus_that_is_lost_is_an_error_of_its_types_and_its_return_changes_nothing(units, user_manager, relay):
    units.connect().scale_and_wait(web=2)
    before = started(user_manager, "app-web@1.service")
    relay.cut()
    units.eventually(lambda: is_away(units))
    with pytest.raises(BackendError):
        units.try_scale(web=3)
    relay.mend()
    units.eventually(lambda: is_back(units, Counts(desired=2, running=2)))
    assert started(user_manager, "app-web@1.service") == before
    units.scale_and_wait(web=3)


def test_crashes_before_the_bus_was_lost_are_not_counted_again(units, user_manager, relay):
    units.connect().scale_and_wait(web=1)
    for _ in range(3):
        os.kill(user_manager.main_pid("app-web@1.service"), signal.SIGKILL)
        units.wait_counts(running=0)
        units.wait_counts(running=1)
    relay.cut()
    units.eventually(lambda: is_away(units))
    relay.mend()
    units.eventually(lambda: is_back(units, Counts(desired=1, running=1)))
    before = units.see().starts
    os.kill(user_manager.main_pid("app-web@1.service"), signal.SIGKILL)
    units.wait_counts(running=0)
    units.wait_counts(running=1)
    assert units.see().starts == before + 1


def test_what_an_operator_did_while_the_bus_was_away_is_respected(units, user_manager, relay):
    units.connect().scale_and_wait(web=3)
    relay.cut()
    user_manager.systemctl("stop", "app-web@2.service")
    user_manager.systemctl("start", "app-web@7.service")
    units.eventually(lambda: is_away(units))
    relay.mend()
    units.eventually(lambda: is_back(units, Counts(desired=3, running=3)))
    assert units.names() == ["web.1", "web.3", "web.7"]
    units.wait_told("web.2 was stopped by somebody else")
    units.wait_told("web.7 was started by somebody else")


def test_a_bus_lost_in_the_middle_of_scaling_leaves_nothing_half_done(units, user_manager, relay):
    units.connect()
    for target in (25, 4, 17):
        units.scale(web=target)
        relay.cut()
        units.eventually(lambda: is_away(units))
        relay.mend()
        units.eventually(lambda target=target: is_back(units, Counts(desired=target, running=target)))
    assert len(user_manager.active("app-web@*")) == 17
    assert [told for told in units.happenings if "somebody" in told] == []


def test_a_process_is_ready_when_it_has_been_active_for_its_startup(units):
    units.connect(unit_type(startup_seconds=0.7))
    began = time.monotonic()
    units.scale(web=1)
    units.wait_counts(starting=1, running=0)
    units.wait_counts(running=1)
    assert time.monotonic() - began >= 0.7


def test_with_notify_systemd_alone_tells_when_a_process_is_ready(units, user_manager):
    user_manager.write(
        "app-web@.service", "[Service]\nType=notify\nNotifyAccess=all\nExecStart=/bin/sh -c 'sleep 0.5; systemd-notify --ready; sleep 1000'\n"
    )
    units.connect(unit_type(ready="notify", startup_seconds=600.0))
    units.scale(web=1)
    units.wait_counts(starting=1)
    units.wait_counts(running=1)
    assert units.see().startup_seconds >= 0.5


def test_persisted_units_are_enabled_as_long_as_they_are_wanted(user_manager, monkeypatch, eventually):
    use(user_manager, monkeypatch)
    user_manager.write("app-web@.service", SLEEPER)
    with units_of(eventually, user=True, persist=True) as units:
        units.connect().scale_and_wait(web=2)
        eventually(lambda: user_manager.systemctl("is-enabled", "app-web@2.service", check=False).strip() == "enabled")
        units.scale_and_wait(web=1)
        eventually(lambda: user_manager.systemctl("is-enabled", "app-web@2.service", check=False).strip() == "disabled")
        assert user_manager.systemctl("is-enabled", "app-web@1.service").strip() == "enabled"


def test_a_template_that_cannot_be_enabled_is_named(user_manager, monkeypatch, eventually):
    use(user_manager, monkeypatch)
    user_manager.write("app-web@.service", SLEEPER.replace("[Install]", "[X-Install]").replace("WantedBy", "X-WantedBy"))
    with units_of(eventually, user=True, persist=True) as units:
        units.connect().scale_and_wait(web=1)
        units.wait(lambda seen: any("a reboot will not bring it back" in note for note in seen.notes))


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("app-{type}.{n}.service", ["app-web.1.service", "app-web.2.service", "app-web.3.service"]),
        ("app-{type}-{n}", ["app-web-1.service", "app-web-2.service", "app-web-3.service"]),
    ],
    ids=["foreman", "honcho"],
)
def test_units_with_a_file_each_are_started_as_far_as_there_are_files(user_manager, monkeypatch, eventually, pattern, names):
    use(user_manager, monkeypatch)
    for name in names:
        user_manager.write(name, SLEEPER, reload=name == names[-1])
    with units_of(eventually, user=True, unit=pattern) as units:
        units.connect()
        assert "3 processes only" in units.try_scale(web=5)[0]
        units.wait_counts(desired=3, running=3)
        assert user_manager.active("app-web*") == names


def test_instances_by_port_are_numbered_from_the_first_port_of_their_type(user_manager, monkeypatch, eventually):
    use(user_manager, monkeypatch)
    for name in ("web", "job"):
        user_manager.write(f"app-{name}@.service", SLEEPER)
    with units_of(eventually, user=True, unit="app-{type}@{port}", port=7000, metrics_port=9000) as units:
        units.connect(unit_type("web", maximum=9), unit_type("job", maximum=9))
        units.scale_and_wait(web=2, job=1)
        assert user_manager.active("app-*@*") == ["app-job@7100.service", "app-web@7000.service", "app-web@7001.service"]
        assert [process.metrics for process in units.see("job").processes] == [Address("127.0.0.1", 9100)]


def test_the_idlest_stop_first_where_a_reading_tells(units):
    units.connect().scale_and_wait(web=4)
    units.scale({"web.1": 0.1, "web.2": 3.0, "web.3": 0.2, "web.4": 2.0}, web=2)
    units.wait_counts(running=2, draining=0)
    assert units.names() == ["web.2", "web.4"]


def test_a_singleton_is_not_started_while_the_last_one_drains(units, user_manager):
    user_manager.write("app-web@.service", STUBBORN.format(seconds="30s"))
    units.connect(unit_type(is_singleton=True, maximum=1)).scale_and_wait(web=1)
    units.scale(web=0)
    units.wait_counts(draining=1)
    units.scale(web=1)
    assert units.counts().running == 0
    os.kill(user_manager.main_pid("app-web@1.service"), signal.SIGKILL)
    units.wait_counts(running=1, draining=0)


def test_what_a_unit_depends_on_failing_is_told_and_tried_again(units, user_manager):
    user_manager.write("app-web@.service", "[Unit]\nRequires=database.service\nAfter=database.service\n" + SLEEPER)
    user_manager.write("database.service", "[Service]\nType=oneshot\nExecStart=/bin/test -e %h/database\nRemainAfterExit=yes\n")
    units.connect().scale(web=1)
    units.wait(lambda seen: any("what it depends on failed" in note for note in seen.notes))
    (user_manager.units.parents[2] / "database").write_text("")
    units.wait_counts(running=1, desired=1)
    assert units.see().notes == ()


def test_a_reload_takes_other_types_and_leaves_the_units_of_one_that_is_gone(units, user_manager):
    user_manager.write("app-job@.service", SLEEPER)
    units.connect().scale_and_wait(web=2)
    user_manager.systemctl("start", "app-job@1.service")
    connection = units.backend
    units.connect(unit_type("job"))
    assert units.backend is connection
    units.wait_counts("job", desired=1, running=1)
    assert set(units.observe().types) == {"job"}
    units.wait_told("web is not in the configuration any more")
    assert user_manager.active("app-web@*") == ["app-web@1.service", "app-web@2.service"]
    units.scale_and_wait(job=2)


def test_a_user_manager_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(BackendError, match="there is no bus"):
        Systemd(user=True).connect((unit_type(),), None)


def test_two_controllers_that_undo_each_other_stand_still_and_say_so(units, user_manager, eventually):
    units.connect()
    with units_of(eventually, user=True) as others:
        others.connect()
        others.happenings.clear()
        deadline = time.monotonic() + 6.0
        while time.monotonic() < deadline:
            units.try_scale(web=5)
            others.try_scale(web=2)
            time.sleep(0.05)
        told = "somebody else changes its units too"
        assert any(told in sentence for sentence in (*units.observe().types["web"].notes, *others.observe().types["web"].notes))
        before = [started(user_manager, unit) for unit in user_manager.active("app-web@*")]
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            units.try_scale(web=5)
            others.try_scale(web=2)
            time.sleep(0.05)
        assert [started(user_manager, unit) for unit in user_manager.active("app-web@*")] == before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_failure_of_the_backend_s_own_thread_begins_anew_and_changes_nothing(units, user_manager):
    units.connect().scale_and_wait(web=3)
    before = started(user_manager, "app-web@1.service")
    units.backend._loop.call(lambda: {}["a mistake of ours"])
    units.wait_told("has begun anew")
    assert units.counts() == Counts(desired=3, running=3)
    assert started(user_manager, "app-web@1.service") == before
    units.scale_and_wait(web=4)


def test_units_that_are_enabled_and_do_not_run_are_free_numbers(units, user_manager):
    for number in (1, 2, 3):
        user_manager.systemctl("enable", f"app-web@{number}.service")
    user_manager.systemctl("daemon-reload")
    units.connect().scale_and_wait(web=2)
    assert units.names() == ["web.1", "web.2"]


def test_a_condition_that_does_not_hold_is_a_failed_start_that_is_tried_again(units, user_manager, tmp_path):
    user_manager.write("app-web@.service", f"[Unit]\nConditionPathExists={tmp_path}/there\n{SLEEPER}")
    units.connect().scale(web=1)
    units.wait(lambda seen: any("conditions do not hold" in note for note in seen.notes) and seen.counts.failed == 1)
    (tmp_path / "there").write_text("")
    units.wait_counts(running=1)


def test_a_job_that_changes_nothing_is_nobodys_stop(units, user_manager):
    user_manager.write("app-web@.service", SLEEPER.replace("Restart=always", "Restart=no"))
    units.connect().scale_and_wait(web=2)
    os.kill(user_manager.main_pid("app-web@2.service"), signal.SIGKILL)
    units.wait_counts(failed=1)
    user_manager.write("app-other@.service", SLEEPER)
    settled = time.monotonic() + 1.2
    units.eventually(lambda: time.monotonic() > settled)
    user_manager.systemctl("try-restart", "app-web@2.service")
    units.scale_and_wait(web=1)
    assert [told for told in units.happenings if "somebody" in told] == []


def test_a_crash_is_a_failure_while_its_cleaning_up_takes_its_time(units, user_manager):
    user_manager.write("app-web@.service", SLEEPER + "\n[Service]\nExecStopPost=/bin/sleep 3\n")
    units.connect().scale_and_wait(web=2)
    os.kill(user_manager.main_pid("app-web@1.service"), signal.SIGKILL)
    units.wait_counts(failed=1, running=1, draining=0, seconds=2)
    units.wait_counts(running=2)


def test_a_type_that_is_removed_and_comes_back_is_scaled_again(units, user_manager):
    user_manager.write("app-job@.service", SLEEPER)
    units.connect(unit_type("web"), unit_type("job")).scale_and_wait(web=2, job=1)
    units.connect(unit_type("job"))
    units.connect(unit_type("web"), unit_type("job"))
    assert units.counts() == Counts(desired=2, running=2)
    units.scale_and_wait(web=4, job=2)


def test_a_refused_stop_is_told_once_and_leaves_the_unit_counted(units, user_manager):
    user_manager.write("app-web@.service", "[Unit]\nRefuseManualStop=yes\n" + SLEEPER)
    units.connect().scale_and_wait(web=2)
    for _ in range(3):
        units.scale(web=1)
        units.wait_counts(desired=2, running=2)
    assert len([told for told in units.happenings if "is not stopped" in told]) == 1
    assert any("refuses" in note for note in units.see().notes)
