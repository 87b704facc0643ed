"""A process of a type that says its memory is never placed where there is too little."""

from collections import Counter

import pytest

from autoscaler.act.free_memory import MemoryFiles, read_free_memory
from autoscaler.act.systemd.plugin import HostEntry
from tests.systemd_formation import SLEEPER, unit_type, units_of

pytestmark = pytest.mark.server

_MEBIBYTE = 1 << 20


@pytest.fixture
def over(two_hosts, ssh_config, eventually):
    """Make a backend over app1 and app2, which may use so many bytes."""
    for host in two_hosts:
        for name in ("web", "worker"):
            host.write(f"app-{name}@.service", SLEEPER, reload=False)
        host.systemctl("daemon-reload")

    def make(first, second):
        hosts = (HostEntry(host="app1", memory_bytes=first), HostEntry(host="app2", memory_bytes=second))
        return units_of(eventually, hosts=hosts, ssh_config=str(ssh_config))

    return make


def _count_by_host(units, *states, name="web"):
    return Counter(process.host for process in units.see(name).processes if process.state in states)


def test_no_host_gets_more_than_its_memory_holds(over):
    with over(100 * _MEBIBYTE, 250 * _MEBIBYTE) as units:
        units.connect(unit_type(memory_bytes=50 * _MEBIBYTE)).scale(web=9)
        units.wait_counts(running=7)

        assert _count_by_host(units, "running") == Counter(app1=2, app2=5)
        assert (units.counts().desired, units.counts().starting, units.see().free_memory_bytes) == (9, 2, 0)
        assert units.see().notes == ("web: 2 more cannot be started now: no host that answers has a free unit and memory for them",)


def test_free_memory_is_told_in_whole_processes_over_all_hosts(over):
    with over(80 * _MEBIBYTE, 120 * _MEBIBYTE) as units:
        units.connect(unit_type(memory_bytes=50 * _MEBIBYTE))
        units.wait(lambda seen: seen.free_memory_bytes == 150 * _MEBIBYTE)

        units.scale_and_wait(web=2)

        assert units.see().free_memory_bytes == 50 * _MEBIBYTE


def test_types_share_the_memory_of_a_host(over):
    with over(100 * _MEBIBYTE, 100 * _MEBIBYTE) as units:
        units.connect(unit_type(memory_bytes=40 * _MEBIBYTE), unit_type("worker", memory_bytes=60 * _MEBIBYTE)).scale_and_wait(web=2)

        units.scale(worker=4)
        units.wait_counts("worker", running=2)

        assert _count_by_host(units, "running", name="worker") == Counter(app1=1, app2=1)
        assert units.counts("worker").starting == 2


def test_types_that_grow_at_once_share_the_memory_of_a_host(over):
    with over(100 * _MEBIBYTE, 100 * _MEBIBYTE) as units:
        units.connect(unit_type(memory_bytes=50 * _MEBIBYTE), unit_type("worker", memory_bytes=50 * _MEBIBYTE))

        units.scale(web=3, worker=3)
        units.wait(lambda seen: any("cannot be started" in note for note in seen.notes), "worker")
        units.wait_counts(running=3)
        units.wait_counts("worker", running=1, starting=2)

        assert _count_by_host(units, "running") + _count_by_host(units, "running", name="worker") == Counter(app1=2, app2=2)


def test_what_waits_for_memory_starts_when_another_process_has_ended(over):
    with over(50 * _MEBIBYTE, 50 * _MEBIBYTE) as units:
        units.connect(unit_type(memory_bytes=50 * _MEBIBYTE), unit_type("worker", memory_bytes=50 * _MEBIBYTE)).scale_and_wait(web=2)
        units.scale(worker=1)
        units.wait_counts("worker", starting=1)

        units.scale(web=1)

        units.wait_counts("worker", running=1, starting=0, seconds=5)
        assert _count_by_host(units, "running") + _count_by_host(units, "running", name="worker") == Counter(app1=1, app2=1)


def test_starting_processes_hold_the_memory_that_was_measured_free(over):
    each = int(read_free_memory(MemoryFiles()) / 2.5)
    with over(None, None) as units:
        units.connect(unit_type(memory_bytes=each, startup_seconds=60.0))
        units.wait(lambda seen: seen.free_memory_bytes == 4 * each)

        units.scale(web=9)
        units.wait(lambda seen: any("cannot be started" in note for note in seen.notes))

        assert _count_by_host(units, "starting", "running") == Counter(app1=2, app2=2)
        assert (units.counts().starting, units.see().free_memory_bytes) == (9, 0)


def test_a_process_that_runs_since_now_holds_memory_that_was_measured_before(over):
    each = int(read_free_memory(MemoryFiles()) / 2.5)
    with over(None, None) as units:
        units.connect(unit_type(memory_bytes=each))
        units.wait(lambda seen: seen.free_memory_bytes == 4 * each)

        units.scale(web=9)
        units.wait(lambda seen: seen.counts.running == 4)

        assert (units.counts().starting, units.see().free_memory_bytes) == (5, 0)


def test_the_smaller_of_what_is_configured_and_measured_counts(over):
    each = int(read_free_memory(MemoryFiles()) / 2.5)
    with over(each, 10 * each) as units:
        units.connect(unit_type(memory_bytes=each))

        units.wait(lambda seen: seen.free_memory_bytes == 3 * each)
