import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.systemd_machines import run

pytestmark = pytest.mark.server

_TESTS = Path(__file__).resolve().parents[2]
_SLEEPER = "[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=default.target\n"


def _ssh(config, name, command):
    return run("ssh", "-F", config, name, command)


@pytest.fixture(params=["user_manager", "system_host"])
def machine(request):
    return request.getfixturevalue(request.param)


def test_machine_starts_and_stops_units(machine):
    machine.write("web@.service", _SLEEPER)

    machine.systemctl("start", "web@1", "web@2")
    assert machine.active("web@*") == ["web@1.service", "web@2.service"]

    machine.systemctl("stop", "web@1")
    assert (machine.state("web@1"), machine.state("web@2")) == (("inactive", "dead"), ("active", "running"))


def test_main_process_is_found_from_outside(machine):
    machine.write("web@.service", _SLEEPER)
    machine.systemctl("start", "web@1")

    assert Path(f"/proc/{machine.main_pid('web@1')}/cmdline").read_bytes() == b"sleep\0infinity\0"
    assert machine.main_pid("web@2") == 0


def test_nothing_runs_on_after_a_power_failure(machine):
    machine.write("web@.service", _SLEEPER)
    machine.systemctl("enable", "web@1")
    machine.systemctl("start", "web@1", "web@2")
    pid = machine.main_pid("web@2")
    address = machine.bus_address

    machine.power_off()
    assert not _is_alive(pid)

    machine.power_on()
    machine.wait_up()
    assert (machine.active("web@*"), machine.bus_address) == (["web@1.service"], address)


def test_machine_leaves_the_folders_of_the_system_alone(machine):
    machine.write("web@.service", _SLEEPER)

    machine.systemctl("enable", "web@1")
    machine.systemctl("set-property", "web@1", "CPUWeight=50")
    machine.systemctl("mask", "--runtime", "other.service")

    assert not [path for place in ("/etc/systemd", "/run/systemd", "/root/.config/systemd") for path in Path(place).rglob("*web@1*")]
    assert "UnitFileState=masked" in machine.systemctl("show", "--property=UnitFileState", "other.service")


def test_frozen_machine_goes_on_when_thawed(machine):
    machine.write("web@.service", _SLEEPER)
    machine.systemctl("start", "web@1")

    machine.freeze()
    machine.thaw()

    assert machine.active("web@*") == ["web@1.service"]


def test_host_keeps_a_journal(system_host, eventually):
    system_host.write("hello.service", "[Service]\nType=oneshot\nExecStart=echo good morning\n")

    system_host.systemctl("start", "hello")

    assert eventually(lambda: "good morning\n" in system_host.journal("--unit=hello"))


def test_host_writes_to_layers_of_its_own(system_host):
    system_host.write(
        "keeper.service", "[Service]\nType=oneshot\nStateDirectory=fa-kept\nPrivateTmp=yes\nExecStart=touch /var/lib/fa-kept/here /etc/fa-kept\n"
    )

    system_host.systemctl("start", "keeper")

    assert system_host.run("ls", "/etc/fa-kept", "/var/lib/fa-kept").split() == ["/etc/fa-kept", "/var/lib/fa-kept:", "here"]
    assert not Path("/etc/fa-kept").exists()
    assert not Path("/var/lib/fa-kept").exists()


_RULES = """
polkit.addRule(function(action, subject) {
    var unit = action.lookup("unit");
    if (action.id == "org.freedesktop.systemd1.manage-units" && subject.user == "nobody" && /^web@/.test(unit)) { return polkit.Result.YES; }
});
"""


def test_polkit_rule_lets_a_user_start_its_units_and_no_others(system_host):
    user = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    for unit in ("web@.service", "other.service"):
        system_host.write(unit, _SLEEPER)
    with pytest.raises(AssertionError, match="authentication required"):
        system_host.run(*user, "systemctl", "--no-ask-password", "start", "web@1")

    system_host.write_polkit_rules("50-web.rules", _RULES)
    system_host.run(*user, "systemctl", "--no-ask-password", "start", "web@1")

    with pytest.raises(AssertionError, match="authentication required"):
        system_host.run(*user, "systemctl", "--no-ask-password", "start", "other")
    assert system_host.state("web@1") == ("active", "running")


def test_ssh_reaches_both_hosts(two_hosts, ssh_config):
    answers = [_ssh(ssh_config, host.name, "hostname; systemctl is-system-running") for host in two_hosts]

    assert answers == ["app1\nrunning\n", "app2\nrunning\n"]


def test_host_with_another_key_is_refused(two_hosts, ssh_config, tmp_path):
    swapped = {two_hosts[0].host_key: two_hosts[1].host_key, two_hosts[1].host_key: two_hosts[0].host_key}
    known = ssh_config.parent / "known_hosts"
    (tmp_path / "known_hosts").write_text(
        "".join(f"{' '.join([line.split()[0], swapped[line.split(' ', 1)[1]]])}\n" for line in known.read_text().splitlines())
    )

    with pytest.raises(AssertionError, match="Host key verification failed"):
        run("ssh", "-F", ssh_config, "-o", f"UserKnownHostsFile={tmp_path}/known_hosts", "app1", "true")


def test_host_off_the_network_is_silent_and_returns_as_it_was(two_hosts, ssh_config):
    two_hosts[0].write("web@.service", _SLEEPER)
    two_hosts[0].systemctl("start", "web@1")

    two_hosts[0].cut()
    with pytest.raises(AssertionError, match="timed out"):
        run("ssh", "-F", ssh_config, "-o", "ConnectTimeout=1", "app1", "true")
    assert _ssh(ssh_config, "app2", "hostname") == "app2\n"

    two_hosts[0].mend()
    assert _ssh(ssh_config, "app1", "systemctl is-active web@1") == "active\n"


def test_host_answers_again_after_a_power_failure(two_hosts, ssh_config):
    two_hosts[1].power_off()
    with pytest.raises(AssertionError, match=r"timed out|No route"):
        run("ssh", "-F", ssh_config, "-o", "ConnectTimeout=1", "app2", "true")

    two_hosts[1].power_on()
    two_hosts[1].wait_up()
    assert _ssh(ssh_config, "app2", "systemctl is-system-running") == "running\n"


@pytest.mark.parametrize("left", ["written and running", "off", "cut"])
def test_next_test_finds_the_hosts_empty(two_hosts, ssh_config, left):
    host = two_hosts[0]
    host.write("web@.service", _SLEEPER + "[Service]\nRestart=always\nExecStop=sleep infinity\n")
    host.systemctl("enable", "web@1")
    host.systemctl("start", "web@1", "web@2")
    {"written and running": lambda: None, "off": host.power_off, "cut": host.cut}[left]()

    host.reset()

    assert host.active("web@*") == []
    assert list(host.units.iterdir()) == []
    assert "web@" not in host.systemctl("list-units", "--all")
    assert _ssh(ssh_config, "app1", "systemctl is-system-running") == "running\n"


_SESSION = """
import sys, types
sys.modules["tests"] = types.ModuleType("tests")  # packages bring a folder of this name too
sys.modules["tests"].__path__ = [sys.argv[1]]
from tests.systemd_hosts import Host, pair
from tests.systemd_machines import UserManager, switched_on
user, host = UserManager(), Host()
with switched_on(user, host), pair() as two:
    machines = (user, host, *two.hosts)
    for machine in machines:
        machine.write("web@.service", "[Service]\\nExecStart=sleep infinity\\nPrivateTmp=yes\\n")
        machine.systemctl("start", "web@1")
    print(*(f"{machine.folder} {machine.cgroup} {machine.main_pid('web@1')}" for machine in machines), two.hosts[0]._cable.bridge, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
@pytest.mark.usefixtures("machines")
def test_nothing_is_left_when_the_tests_are_ended(end, eventually):
    session = subprocess.Popen([sys.executable, "-c", _SESSION, _TESTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with session:
        *made, bridge = session.stdout.readline().decode().split()
        boots = [Path(folder, "boot_id").read_text().replace("-", "").strip() for folder in made[0::3]]

        session.send_signal(end)
        session.wait(20)

    private = [f"{place}/systemd-private-{boot}*" for boot in boots for place in ("/tmp", "/var/tmp")]  # noqa: S108
    left = [path for path in made if path.startswith("/")]
    eventually(lambda: not [found for pattern in left + private for found in Path("/").glob(pattern[1:])])
    assert [pid for pid in made[2::3] if _is_alive(int(pid))] == []
    assert not Path("/sys/class/net", bridge).exists()
    assert not [path for path in left if path in Path("/proc/mounts").read_text()]


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
