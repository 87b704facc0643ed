"""One formation over two hosts: spread, a host that is away, a host that returns, and two controllers."""

import os
import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.systemd.plugin import HostEntry
from autoscaler.model import Counts
from tests.systemd_formation import SLEEPER, unit_type, units_of

pytestmark = pytest.mark.server

_UNITS = "app-*@*.service"


@pytest.fixture
def templates(two_hosts):
    for host in two_hosts:
        for name in ("web", "worker"):
            host.write(f"app-{name}@.service", SLEEPER, reload=False)
        host.systemctl("daemon-reload")


@pytest.fixture
def both(templates, ssh_config, eventually):  # noqa: ARG001 - they are to be there
    """A backend over app1 and app2 that has a lost host's processes replaced after 1 s."""
    with _over(ssh_config, eventually) as made:
        yield made


def _over(ssh_config, eventually, **configuration):
    chosen = {"hosts": ("app1", "app2"), "ssh_config": str(ssh_config), "host_lost_after_seconds": 1.0, **configuration}
    return units_of(eventually, **chosen)


def _spread(units, name="web"):
    return [process.name for process in units.see(name).processes if process.state == "running"]


def _count_by_host(units, name="web"):
    return Counter(process.host for process in units.see(name).processes if process.state == "running")


def _runs(host):
    """Return which run of each active unit it is: another one after a restart."""
    names = host.active(_UNITS)
    return {name: host.properties(name, "InvocationID")["InvocationID"] for name in names}


def _count_active(host):
    listed = host.systemctl("list-units", "--plain", "--no-legend", "--state=active", "--", _UNITS, check=False)
    return len(listed.splitlines())


def _count_starts(host):
    return host.journal("--unit=app-web@*").count("Started ")


def _count_enabled(host):
    return len(list(host.units.glob("default.target.wants/app-web@*")))


class _Samples:
    """How many units really ran on both hosts together, looked at again and again."""

    def __init__(self, hosts):
        self._hosts = hosts
        self.seen = []

    def take(self):
        self.seen.append(sum(_count_active(host) for host in self._hosts))
        return self.seen[-1]


def _is_back(units):
    try:
        return units.observe()
    except BackendError:
        return None


def _break(host):
    """Have what is sent to the host vanish, and end the connection to it as ssh itself would 15 s later."""
    host.cut()
    for pid in _list_ssh_clients(host.name):
        os.kill(pid, signal.SIGKILL)


def _list_ssh_clients(name):
    children = [pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]
    return [int(pid) for pid in children if _is_ssh_to(name.encode(), Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"))]


def _is_ssh_to(name, words):
    return words[0] == b"ssh" and name in words


def test_processes_go_where_the_fewest_are_and_leave_from_the_fullest(both):
    both.connect()

    for count in range(1, 8):
        both.scale_and_wait(web=count)
        assert _count_by_host(both) == +Counter(app1=(count + 1) // 2, app2=count // 2)
    assert _spread(both) == ["web.1@app1", "web.2@app1", "web.3@app1", "web.4@app1", "web.1@app2", "web.2@app2", "web.3@app2"]
    both.scale_and_wait(web=6)
    assert _spread(both) == ["web.1@app1", "web.2@app1", "web.3@app1", "web.1@app2", "web.2@app2", "web.3@app2"]
    for count in range(5, 0, -1):
        both.scale_and_wait(web=count)
        assert abs(_count_by_host(both)["app1"] - _count_by_host(both)["app2"]) <= 1
    assert _spread(both) in (["web.1@app1"], ["web.1@app2"])


def test_many_are_spread_at_once(both, two_hosts):
    both.connect().scale_and_wait(web=7)

    assert [len(host.active(_UNITS)) for host in two_hosts] == [4, 3]


def test_another_type_goes_where_the_fewest_in_all_are(both):
    both.connect(unit_type(), unit_type("worker")).scale_and_wait(web=3)

    both.scale_and_wait(worker=1)

    assert _spread(both, "worker") == ["worker.1@app2"]


@pytest.mark.usefixtures("templates")
def test_a_host_of_twice_the_weight_takes_twice_as_many(ssh_config, eventually):
    with _over(ssh_config, eventually, hosts=(HostEntry(host="app1", weight=2.0), "app2")) as units:
        units.connect().scale_and_wait(web=6)

        assert _count_by_host(units) == Counter(app1=4, app2=2)


def test_the_idlest_leaves_first_where_a_reading_tells(both):
    both.connect().scale_and_wait(web=4)

    both.scale({"web.1@app1": 0.9, "web.2@app1": 0.8, "web.1@app2": 0.1, "web.2@app2": 0.2}, web=2)

    both.wait(lambda seen: [process.name for process in seen.processes] == ["web.1@app1", "web.2@app1"])


@pytest.mark.usefixtures("templates")
def test_processes_tell_their_host_and_where_it_serves_their_metrics(ssh_config, eventually):
    with _over(ssh_config, eventually, hosts=(HostEntry(host="app1", address="10.0.0.1"), "app2"), metrics_port=9100) as units:
        units.connect().scale_and_wait(web=3)

        told = [(process.name, process.host, process.metrics.host, process.metrics.port) for process in units.see().processes]
    assert told == [
        ("web.1@app1", "app1", "10.0.0.1", 9100),
        ("web.2@app1", "app1", "10.0.0.1", 9101),
        ("web.1@app2", "app2", "app2", 9100),
    ]


@pytest.mark.usefixtures("templates")
def test_a_short_absence_changes_nothing_on_the_host(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0) as units:
        units.connect().scale_and_wait(web=4)
        before = [_runs(host) for host in two_hosts]

        _break(two_hosts[0])
        units.wait_counts(desired=4, running=2, unknown=2)
        units.scale(web=5)
        units.wait_counts(desired=5, running=3, unknown=2)
        two_hosts[0].mend()
        units.wait_counts(desired=5, running=5, unknown=0)

        after = [_runs(host) for host in two_hosts]
    assert after[0] == before[0]
    assert before[1].items() < after[1].items()
    assert [sentence for sentence in units.happenings if "app1" in sentence] == [
        "app1 does not answer: the connection to app1 was closed; its 2 processes are unknown",
        "app1 answers again",
    ]


def test_what_was_asked_of_a_host_while_it_was_silent_is_done_when_it_hears_again(both, two_hosts):
    both.connect().scale_and_wait(web=2)

    two_hosts[0].cut()
    both.scale(web=6)
    both.wait(lambda seen: seen.counts.running == 4)
    two_hosts[0].mend()
    both.wait_counts(desired=6, running=6)

    assert [len(host.active(_UNITS)) for host in two_hosts] == [3, 3]


def test_a_silent_host_is_noticed(both, two_hosts):
    """It takes the 15 s to 20 s of ssh: the test waits for them."""
    both.connect().scale_and_wait(web=2)

    two_hosts[0].cut()

    assert both.wait_told("app1 does not answer", 40) == "app1 does not answer: timed out; its 1 processes are unknown"


def test_a_lost_host_is_replaced_and_its_return_is_surplus(both, two_hosts):
    both.connect().scale_and_wait(web=4)
    before, samples = _runs(two_hosts[0]), _Samples(two_hosts[1:])

    _break(two_hosts[0])
    told = both.wait_told("replaced elsewhere")
    both.wait(lambda seen: samples.take() and seen.counts.running == 4)
    assert told == "app1 has not answered for 1 s; its 2 processes are replaced elsewhere"
    assert max(samples.seen) == 4

    two_hosts[0].mend()
    both.wait_counts(desired=6, running=6)
    assert _runs(two_hosts[0]) == before
    assert both.wait_told("answers again") == "app1 answers again; desired rises by 2 for what still runs there"


def test_surplus_of_a_host_that_returned_scales_in_to_the_old_number_and_never_below(both, two_hosts, eventually):
    both.connect().scale_and_wait(web=4)
    _break(two_hosts[0])
    both.wait_told("replaced elsewhere")
    both.wait_counts(running=4, unknown=0)
    two_hosts[0].mend()
    both.wait_counts(desired=6, running=6)
    samples = _Samples(two_hosts)

    both.scale(web=4)
    eventually(lambda: samples.take() == 4)
    for _ in range(5):
        samples.take()

    assert min(samples.seen) == 4
    both.wait_counts(desired=4, running=4)
    assert _count_by_host(both) == Counter(app1=2, app2=2)


@pytest.mark.usefixtures("templates")
def test_what_a_power_failure_took_is_started_again_and_nothing_more(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0) as units:
        units.connect().scale_and_wait(web=4)
        samples = _Samples(two_hosts)

        two_hosts[0].power_off()
        two_hosts[0].power_on()
        units.wait(lambda seen: samples.take() == seen.counts.running == 4 and seen.counts.unknown == 0)
        for _ in range(5):
            samples.take()

        assert max(samples.seen) == 4
        assert units.counts().desired == 4


@pytest.mark.usefixtures("templates")
def test_a_reboot_brings_back_what_is_to_persist_and_it_counts_once(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0, persist=True) as units:
        units.connect().scale_and_wait(web=4)
        eventually(lambda: _count_enabled(two_hosts[0]) == 2)
        samples = _Samples(two_hosts)

        two_hosts[0].power_off()
        two_hosts[0].power_on()
        units.wait_told("app1 answers again")
        units.wait(lambda seen: samples.take() == seen.counts.running == 4 and seen.counts.unknown == 0)
        for _ in range(5):
            samples.take()

        assert max(samples.seen) == 4
        assert _count_by_host(units) == Counter(app1=2, app2=2)
        assert units.counts().desired == 4


def test_an_orderly_shutdown_is_nobodys_wish_to_stop_the_processes(both, two_hosts):
    both.connect().scale_and_wait(web=4)

    two_hosts[0].systemctl("poweroff", "--no-block")
    both.wait_told("app1 is shutting down")
    both.wait_told("replaced elsewhere")
    both.wait_counts(desired=4, running=4)

    assert _count_by_host(both) == Counter(app2=4)
    assert not [sentence for sentence in both.happenings if "somebody else" in sentence]


@pytest.mark.usefixtures("templates")
def test_a_controller_that_begins_while_a_host_is_away_adopts_its_processes_later(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually) as first:
        first.connect().scale_and_wait(web=4)
    before = _runs(two_hosts[0])
    two_hosts[0].cut()

    with _over(ssh_config, eventually) as second:
        second.connect()
        second.wait_counts(desired=2, running=2)
        assert second.see().notes == ("app1 does not answer: timed out",)
        second.scale_and_wait(web=4)
        two_hosts[0].mend()
        second.wait_counts(desired=6, running=6, seconds=30)

    assert _runs(two_hosts[0]) == before


def _edited(ssh_config, folder, **replaced):
    """Return an ssh configuration in which settings have other values."""
    text = ssh_config.read_text()
    for key, value in replaced.items():
        text = re.sub(rf"{key} .*", f"{key} {value}", text)
    (folder / "config").write_text(text)
    return folder / "config"


def _why_not(ssh_config, eventually, *hosts):
    with _over(ssh_config, eventually, hosts=hosts) as units, pytest.raises(BackendError) as caught:
        units.connect()
    return str(caught.value)


@pytest.mark.usefixtures("templates")
def test_a_host_with_another_key_is_refused(ssh_config, eventually, tmp_path, two_hosts):
    (tmp_path / "known_hosts").write_text(f"app1,{two_hosts[0].address} {two_hosts[1].host_key}\n")
    config = _edited(ssh_config, tmp_path, UserKnownHostsFile=tmp_path / "known_hosts")

    assert _why_not(config, eventually, "app1") == (
        "systemd of app1 does not answer: the host key of app1 has changed; find out why before you replace it in known_hosts"
    )


@pytest.mark.usefixtures("templates")
def test_a_host_whose_key_is_not_known_is_refused(ssh_config, eventually, tmp_path):
    config = _edited(ssh_config, tmp_path, UserKnownHostsFile="/dev/null")

    assert _why_not(config, eventually, "app1", "app2") == "; ".join(
        f"systemd of {host} does not answer: the host key of {host} is not in known_hosts; add it with ssh-keyscan after checking it"
        for host in ("app1", "app2")
    )


@pytest.mark.usefixtures("templates")
def test_a_host_that_does_not_know_our_key_says_how_to_add_it(ssh_config, eventually, tmp_path, two_hosts):
    two_hosts[0].run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    config = _edited(ssh_config, tmp_path, IdentityFile=tmp_path / "key")

    assert _why_not(config, eventually, "app1") == (
        "systemd of app1 does not answer: app1 refuses our key; add the public key of the controller's user to authorized_keys there"
    )


@pytest.fixture
def without_sshd(two_hosts):
    """Have nobody answer at the ssh port of app1 until the fixture is called."""

    def end():
        two_hosts[0].systemctl("start", "ssh")

    two_hosts[0].systemctl("stop", "ssh")
    yield end
    end()


@pytest.fixture
def without_bridge(two_hosts, tmp_path):
    """Have app1 find a shell only, no program of systemd, when somebody logs in."""
    (tmp_path / "sh").symlink_to("/bin/sh")
    configuration = two_hosts[0].folder / "ssh/sshd_config"
    before = configuration.read_text()
    configuration.write_text(f"{before}SetEnv PATH={tmp_path}\n")
    two_hosts[0].systemctl("restart", "ssh")
    yield
    configuration.write_text(before)
    two_hosts[0].systemctl("restart", "ssh")


@pytest.mark.usefixtures("without_bridge")
def test_one_of_two_hosts_that_cannot_be_used_is_a_note(both):
    both.connect().scale_and_wait(web=2)

    assert _count_by_host(both) == Counter(app2=2)
    assert both.see().notes == ("app1 does not answer: app1 has no systemd-stdio-bridge; is systemd installed there?",)


@pytest.mark.usefixtures("templates")
def test_a_host_that_nobody_knows_is_a_note_beside_one_that_answers(ssh_config, eventually):
    with _over(ssh_config, eventually, hosts=("app1", "nowhere.invalid")) as units:
        units.connect().scale_and_wait(web=2)

        (note,) = units.see().notes
    assert note.startswith("nowhere.invalid does not answer: the name nowhere.invalid cannot be resolved; correct it or add it to the name service")


def test_a_singleton_is_not_replaced_while_it_may_run(both, two_hosts):
    both.connect(unit_type(is_singleton=True)).scale_and_wait(web=1)
    samples = _Samples(two_hosts)

    _break(two_hosts[0])
    both.wait(lambda seen: samples.take() and any("singleton" in note for note in seen.notes))
    both.scale(web=1)
    for _ in range(5):
        samples.take()
    assert both.counts().unknown == 1
    two_hosts[0].mend()
    both.wait(lambda seen: samples.take() and seen.counts.running == 1)

    assert set(samples.seen) == {1}


def test_a_singleton_starts_elsewhere_when_its_host_has_lost_it(both, two_hosts):
    both.connect(unit_type(is_singleton=True)).scale_and_wait(web=1)
    samples = _Samples(two_hosts)

    two_hosts[0].power_off()
    two_hosts[0].power_on()
    both.wait(lambda seen: samples.take() == seen.counts.running == 1)

    assert max(samples.seen) == 1


@pytest.mark.usefixtures("templates")
def test_a_controller_that_begins_starts_no_singleton_before_every_host_is_heard(ssh_config, eventually, two_hosts, without_sshd):
    two_hosts[0].systemctl("start", "app-web@1")
    with _over(ssh_config, eventually) as units:
        units.connect(unit_type(is_singleton=True)).scale(web=1)
        units.wait_counts(starting=1, running=0)
        assert "web is a singleton: its next process starts when it is known that none runs on app1" in units.see().notes

        without_sshd()
        units.wait_counts(running=1, starting=0)
        assert units.names() == ["web.1@app1"]
    assert [len(host.active(_UNITS)) for host in two_hosts] == [1, 0]


def _insist(units, count):
    """Have a type's count put right as the controller does on each tick; return why it was refused."""
    if units.counts().desired == count:
        return None
    return units.try_scale(web=count)[0]


@pytest.mark.usefixtures("templates")
def test_two_controllers_on_the_same_units_are_named_and_come_to_rest(ssh_config, eventually, two_hosts):
    samples, refusals, before = _Samples(two_hosts), [], sum(_count_starts(host) for host in two_hosts)
    with _over(ssh_config, eventually) as first, _over(ssh_config, eventually) as second:
        for units in (first.connect(), second.connect()):
            units.wait(lambda seen: not seen.notes)

        def go_on():
            refusals.append((_insist(first, 4), _insist(second, 2)))
            samples.take()
            return len(samples.seen) >= 17

        eventually(go_on, pause=0.3)

        named = [sentence for units in (first, second) for sentence in units.happenings if "end the other controller" in sentence]
    assert named
    assert any(any(pair) for pair in refusals)
    assert len(set(samples.seen[-8:])) == 1
    assert sum(_count_starts(host) for host in two_hosts) - before <= 10


@pytest.mark.usefixtures("templates")
def test_two_controllers_that_want_the_same_do_not_disturb_each_other(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually) as first, _over(ssh_config, eventually) as second:
        for units in (first.connect(), second.connect()):
            units.wait(lambda seen: not seen.notes)

        for count in (4, 1, 5):
            eventually(
                lambda count=count: (
                    (_insist(first, count), _insist(second, count), first.counts(), second.counts())[2:] == (Counts(count, count),) * 2
                )
            )

        assert sum(_count_active(host) for host in two_hosts) == 5
        assert not [sentence for units in (first, second) for sentence in units.happenings if "other controller" in sentence]


@pytest.mark.usefixtures("templates")
def test_what_a_lost_host_starts_by_itself_is_surplus(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, persist=True) as units:
        units.connect().scale_and_wait(web=4)
        eventually(lambda: _count_enabled(two_hosts[0]) == 2)

        two_hosts[0].power_off()
        for pid in _list_ssh_clients("app1"):
            os.kill(pid, signal.SIGKILL)
        units.wait_told("replaced elsewhere")
        units.wait_counts(desired=4, running=4)
        two_hosts[0].power_on()
        units.wait_counts(desired=6, running=6)

        units.scale_and_wait(web=4)
        assert _count_by_host(units) == Counter(app1=2, app2=2)
        eventually(lambda: [_count_enabled(host) for host in two_hosts] == [2, 2])


@pytest.mark.usefixtures("templates")
def test_a_stop_that_a_host_did_not_hear_is_asked_for_again(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0, persist=True) as units:
        units.connect().scale_and_wait(web=4)
        eventually(lambda: [_count_enabled(host) for host in two_hosts] == [2, 2])

        two_hosts[0].cut()
        units.scale(web=2)
        units.wait(lambda seen: seen.counts.draining == 1)
        _break(two_hosts[0])
        units.wait_counts(desired=2, running=1, unknown=1)
        two_hosts[0].mend()

        eventually(lambda: [_count_active(host) for host in two_hosts] == [1, 1])
        units.wait_counts(desired=2, running=2, draining=0)
        eventually(lambda: [_count_enabled(host) for host in two_hosts] == [1, 1])


@pytest.mark.usefixtures("templates")
def test_starts_that_a_host_did_not_hear_are_no_failures(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0, persist=True) as units:
        units.connect().scale_and_wait(web=2)

        two_hosts[0].cut()
        units.scale(web=12)
        units.wait_counts(running=7)
        _break(two_hosts[0])
        units.wait_counts(unknown=6)
        two_hosts[0].mend()
        units.wait_counts(desired=12, running=12)

        eventually(lambda: [_count_enabled(host) for host in two_hosts] == [6, 6])
        assert not units.see().is_crash_looping
        assert not [sentence for sentence in units.happenings if "failed" in sentence]


@pytest.mark.usefixtures("templates")
def test_a_start_that_failed_is_tried_again_after_its_host_was_away(ssh_config, eventually, two_hosts, tmp_path):
    two_hosts[0].write("app-web@.service.d/assert.conf", f"[Unit]\nAssertPathExists={tmp_path}/ready\n")
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0) as units:
        units.connect().scale(web=2)
        units.wait_told("web.1@app1 failed: systemd could not start app-web@1.service on app1: its assertions do not hold")
        samples = _Samples(two_hosts)

        _break(two_hosts[0])
        units.wait_counts(unknown=1)
        for _ in range(40):  # its next start falls into this time
            samples.take()
        (tmp_path / "ready").touch()
        two_hosts[0].mend()

        units.wait_counts(desired=2, running=2)


def test_when_no_host_answers_the_fault_is_taken_to_be_here(both, two_hosts, eventually):
    both.connect().scale_and_wait(web=4)
    samples = _Samples(two_hosts)

    for host in two_hosts:
        _break(host)
    with pytest.raises(BackendError, match=r"systemd of app1 does not answer: .*; systemd of app2 does not answer: "):
        both.wait(lambda _: samples.take() < 0)
    for _ in range(30):  # longer than a host may be away
        samples.take()
    for host in two_hosts:
        host.mend()
    eventually(lambda: _is_back(both))
    both.wait_counts(desired=4, running=4, unknown=0)

    assert set(samples.seen) == {4}
    assert not [sentence for sentence in both.happenings if "replaced" in sentence]


@pytest.mark.usefixtures("templates")
def test_what_an_operator_did_on_a_host_that_was_away_is_respected(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0) as units:
        units.connect().scale_and_wait(web=4)
        _break(two_hosts[0])
        units.wait_counts(unknown=2)

        two_hosts[0].systemctl("stop", "app-web@1")
        two_hosts[0].systemctl("start", "app-web@7")
        two_hosts[0].mend()

        units.wait_told("web.1@app1 was stopped by somebody else")
        units.wait_told("web.7@app1 was started by somebody else")
        units.wait_counts(desired=4, running=4)
        assert units.names() == ["web.2@app1", "web.7@app1", "web.1@app2", "web.2@app2"]


@pytest.mark.usefixtures("templates")
def test_a_bus_that_is_away_leaves_the_processes_as_they_are(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0) as units:
        units.connect().scale_and_wait(web=4)
        before = _runs(two_hosts[0])

        two_hosts[0].systemctl("stop", "dbus.socket", "dbus.service")
        units.wait_counts(running=2, unknown=2)
        two_hosts[0].systemctl("start", "dbus.socket", "dbus.service")
        units.wait_counts(desired=4, running=4)

    assert _runs(two_hosts[0]) == before


@pytest.mark.usefixtures("templates")
def test_a_reload_adds_a_host_without_a_restart(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, hosts=("app1",)) as units, _over(ssh_config, eventually) as more:
        units.connect().scale_and_wait(web=3)
        before = _runs(two_hosts[0])

        more.backend = units.backend
        more.connect()
        assert more.counts() == Counts(desired=3, running=3)
        more.scale_and_wait(web=5)

        assert _count_by_host(more) == Counter(app1=3, app2=2)
        assert _runs(two_hosts[0]) == before


def test_a_singleton_starts_elsewhere_when_its_host_is_taken_out(both, ssh_config, eventually, two_hosts):
    both.connect(unit_type(is_singleton=True)).scale_and_wait(web=1)
    two_hosts[0].power_off()

    with _over(ssh_config, eventually, hosts=("app2",)) as without:
        without.backend = both.backend
        without.connect(unit_type(is_singleton=True)).scale_and_wait(web=1)

        assert without.names() == ["web.1@app2"]


@pytest.mark.usefixtures("templates")
def test_scale_in_while_a_host_is_away_is_done_when_it_returns(ssh_config, eventually, two_hosts):
    with _over(ssh_config, eventually, host_lost_after_seconds=300.0) as units:
        units.connect().scale_and_wait(web=4)
        _break(two_hosts[0])
        units.wait_counts(unknown=2)

        units.scale(web=3)
        units.wait(lambda seen: seen.counts == Counts(desired=3, running=2, unknown=1, draining=1))
        two_hosts[0].mend()

        units.wait(lambda seen: seen.counts == Counts(desired=3, running=3))
        assert [len(host.active(_UNITS)) for host in two_hosts] == [1, 2]
        assert "app1 answers again" in units.happenings
