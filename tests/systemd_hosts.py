"""Hosts with a systemd of their own as PID 1, alone or two on a network with ssh, for tests."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.systemd_machines import Machine, copy_units, run, switched_on, wait

# Reserved for tests of networks (RFC 2544): it hides no address that the machine talks to.
_SUBNETS = [f"198.{second}.{third}" for second in (18, 19) for third in range(256)]
_NUMBERS = itertools.count()
_DEFAULT_TARGET = "[Unit]\nRequires=multi-user.target\nAfter=multi-user.target\nAllowIsolate=yes\n"
_UNITS = """
    basic.target sysinit.target sockets.target timers.target paths.target slices.target shutdown.target umount.target final.target
    poweroff.target systemd-poweroff.service exit.target systemd-exit.service user.slice multi-user.target network.target network-online.target
    systemd-journald.socket systemd-journald-dev-log.socket systemd-journald.service dbus.socket dbus.service polkit.service
"""
_WANTS = {
    "sysinit.target": ["systemd-journald.service"],
    "sockets.target": ["dbus.socket", "systemd-journald.socket", "systemd-journald-dev-log.socket"],
    "multi-user.target": ["dbus.service"],
}

# What a host writes to /etc and the like goes to a layer of its own; the unit files lie where the tests write them.
_HOST = """
hostname "$NAME"
mount -t proc proc /proc
mount --bind "$FOLDER/boot_id" /proc/sys/kernel/random/boot_id
mount -t sysfs sysfs /sys 2> /dev/null || :  # the one that is there serves when the network is the same
mount -t cgroup2 cgroup2 /sys/fs/cgroup
layer() {
    for folder in etc var opt srv; do
        mkdir -p "$FOLDER/layer/upper/$folder" "$FOLDER/layer/work/$folder"
        mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$FOLDER/layer/upper/$folder,workdir=$FOLDER/layer/work/$folder" "/$folder" || return 1
    done
}
layer || { mount -t tmpfs tmpfs "$FOLDER/layer"; layer; }
cp -a "$FOLDER/etc/." /etc/
mount --bind "$FOLDER/systemd" /etc/systemd
mkdir "$FOLDER/run/lock"
mount --bind "$FOLDER/run" /run
ip link set lo up
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 container=other SYSTEMD_UNIT_PATH="$UNIT_PATH" \
    /usr/lib/systemd/systemd --system --log-target=journal-or-kmsg --log-level=info --show-status=no --unit=default.target
"""
_SSHD = """
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
StrictModes no
PidFile none
"""
_SSH_SERVICE = """
[Unit]
After=network.target
[Service]
Type=notify
RuntimeDirectory=sshd
RuntimeDirectoryMode=0755
ExecStart=/usr/sbin/sshd -D -e -f {folder}/sshd_config
KillMode=process
"""
_SSH_CLIENT = """
Host *
    User root
    IdentityFile {folder}/key
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
"""


class Host(Machine):
    """A systemd as PID 1 with its own processes, mounts, bus and journal.

    Its network is the tests' own, unless it stands on a bridge. What it writes to /etc, /var, /opt and /srv stays its own; /tmp is shared.
    """

    def __init__(self, name: str = "host", cable: Cable | None = None) -> None:
        self._cable = cable
        super().__init__(name)
        self.units = self.folder / "systemd/system"
        self.units.mkdir(parents=True)
        self._base = self.folder / "base"
        copy_units(Path("/usr/lib/systemd/system"), self._base, _UNITS)
        (self._base / "default.target").write_text(_DEFAULT_TARGET)
        for target, units in _WANTS.items():
            for unit in units:
                self._want(target, unit)
        (self.folder / "etc").mkdir()
        (self.folder / "etc/hostname").write_text(f"{name}\n")
        (self.folder / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n")
        self.bus_address = f"unix:path={self.folder}/run/dbus/system_bus_socket"
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": self.bus_address}

    def run(self, *command: str | Path, check: bool = True) -> str:
        """Run a command on the host as root and return what it printed."""
        return run(*self._enter(), *command, check=check)

    def journal(self, *arguments: str) -> str:
        """Return what the host's journal says since its start, the messages alone."""
        return self.run("journalctl", "--no-pager", "--quiet", "--output=cat", *arguments)

    def write_polkit_rules(self, name: str, rules: str) -> None:
        """Put rules of polkit, in JavaScript, to /etc/polkit-1/rules.d of the host and have them read."""
        (self.folder / name).write_text(rules)
        self.run("install", "-D", "--mode=644", self.folder / name, f"/etc/polkit-1/rules.d/{name}")
        self.systemctl("restart", "polkit")

    def power_on(self) -> None:
        """Start systemd without waiting for it, with the unit files that are there and the same address."""
        super().power_on()
        if self._cable is not None:
            wait(self._init_pid, f"{self.name} has no PID 1")
            self._cable.plug(self._init_pid())

    def power_off(self) -> None:
        """Kill everything on the host at once; nothing is said on the network either."""
        if self._cable is not None:
            self._cable.pull()
        super().power_off()

    def cut(self) -> None:
        """Take the host off the network: what is sent to it vanishes."""
        run("ip", "link", "set", self._cable.name, "down")

    def mend(self) -> None:
        """Give the host its network back."""
        run("ip", "link", "set", self._cable.name, "up")

    def reset(self) -> None:
        """Bring the host back to how it was when it was new, but for /etc, /var, /opt and /srv."""
        self.thaw()
        if self._has_ended():
            self.power_off()
            self.power_on()
            self.wait_up()
        if self._cable is not None:
            self.mend()
        self._end_units()
        for folder in (self.units, self.folder / "systemd/system.control", *(self.folder / "run/systemd").glob("system*"), self._transient()):
            _empty(folder)
        self.systemctl("daemon-reload")
        self.systemctl("reset-failed")

    def serve_ssh(self, folder: Path) -> None:
        """Let the owner of the key of a folder in from the next start, with host keys of the host's own; only root can log in, with that key."""
        self._ssh = self.folder / "ssh"
        self._ssh.mkdir()
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._ssh / "host_key")
        shutil.copy(folder / "key.pub", self._ssh)
        (self._ssh / "sshd_config").write_text(_SSHD.format(folder=self._ssh))
        (self._base / "ssh.service").write_text(_SSH_SERVICE.format(folder=self._ssh))
        # A bash would first do what this machine's root has it do, such as take a lock that a power failure leaves behind.
        users = Path("/etc/passwd").read_text()
        (self.folder / "etc/passwd").write_text(re.sub(r"^(root:.*:)[^:\n]*$", r"\1/bin/sh", users, flags=re.MULTILINE))
        # Without PAM a password that starts with ! locks the key out as well.
        (self.folder / "etc/shadow").touch(0o600)
        (self.folder / "etc/shadow").write_text("root:*:19000:0:99999:7:::\n")
        self._want("multi-user.target", "ssh.service")

    @property
    def address(self) -> str:
        """The address of a host on a bridge."""
        return self._cable.address

    @property
    def host_key(self) -> str:
        """The public key that the host shows to an ssh client."""
        return (self._ssh / "host_key.pub").read_text().rsplit(" ", 1)[0]

    def _want(self, target: str, unit: str) -> None:
        wants = self._base / f"{target}.wants"
        wants.mkdir(exist_ok=True)
        (wants / unit).symlink_to(f"../{unit}")

    def _transient(self) -> Path:
        return self.folder / "run/systemd/transient"

    def _end_units(self) -> None:
        listed = self.systemctl("list-units", "--all", "--plain", "--no-legend", "--type=service,socket,target,timer,path").splitlines()
        own = {path.name for path in self._base.iterdir()}
        others = [line.split()[0] for line in listed if line.split()[1] != "not-found" and line.split()[0] not in own]
        if others:
            self.systemctl("stop", "--no-block", "--", *others, check=False)
            self.systemctl("kill", "--signal=KILL", "--", *others, check=False)
            self.systemctl("stop", "--", *others, check=False)

    def _init_pid(self) -> int:
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def _outer_pid(self, pid: int) -> int:
        for path in self.cgroup.rglob("cgroup.procs"):
            for outer in path.read_text().split():
                if int(_inner_pid(outer)) == pid:
                    return int(outer)
        return 0

    def _links(self) -> tuple[str, ...]:
        return (self._cable.name, self._cable.bridge) if self._cable else ()

    def _enter(self) -> tuple[str, ...]:
        return ("nsenter", f"--target={self._init_pid()}", "--mount", "--pid", "--uts", "--ipc", "--net")

    def _systemctl(self) -> tuple[str, ...]:
        return (*self._enter(), "systemctl")

    def _command(self) -> list[str]:
        spaces = ["--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--uts", "--ipc", *(["--net"] if self._cable else [])]
        join = 'echo $$ > "$CGROUP/cgroup.procs"; exec unshare "$@"'
        return ["sh", "-euc", join, "sh", *spaces, "--propagation=private", "sh", "-euc", _HOST]

    def _variables(self) -> dict[str, str]:
        written, volatile = "/etc/systemd/system", "/run/systemd"
        places = (f"{written}.control", f"{volatile}/system.control", f"{volatile}/transient", written, f"{volatile}/system", str(self._base))
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "NAME": self.name,
            "FOLDER": str(self.folder),
            "CGROUP": str(self.cgroup),
            "UNIT_PATH": ":".join(places),
        }


@dataclass(frozen=True)
class Cable:
    """What connects a host with a bridge: the name of the bridge, and of the end at the bridge."""

    bridge: str
    name: str
    subnet: str
    number: int

    @property
    def address(self) -> str:
        """The address of the host."""
        return f"{self.subnet}.{self.number}"

    def plug(self, pid: int) -> None:
        """Connect the network of a process."""
        # A fixed hardware address spares the neighbours a wait after the host was off.
        hardware = f"02:fa:00:00:00:{self.number:02x}"
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "address", hardware, "netns", str(pid))
        run("ip", "link", "set", self.name, "master", self.bridge, "up")
        for command in (("addr", "add", f"{self.address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
            run("nsenter", f"--target={pid}", "--net", "ip", *command)

    def pull(self) -> None:
        """Disconnect the host, if it is connected."""
        run("ip", "link", "set", self.name, "down", check=False)
        run("ip", "link", "delete", self.name, check=False)


@dataclass(frozen=True)
class Pair:
    """Two hosts on a network, and the ssh configuration with which app1 and app2 are reached."""

    hosts: tuple[Host, Host]
    ssh_config: Path


@contextmanager
def pair() -> Iterator[Pair]:
    """Two hosts with sshd on a bridge of their own, switched on."""
    tag, subnet = f"{os.getpid()}-{next(_NUMBERS)}", _free_subnet()
    cables = [Cable(f"fab{tag}", f"fa{side}{tag}", subnet, number) for side, number in (("v", 2), ("w", 3))]
    hosts = [Host(name, cable) for name, cable in zip(("app1", "app2"), cables, strict=True)]
    folder = hosts[0].folder / "client"
    folder.mkdir(mode=0o700)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key")
    for host in hosts:
        host.serve_ssh(folder)
    _lay_bridge(cables[0].bridge, subnet)
    with switched_on(*hosts):
        yield Pair((hosts[0], hosts[1]), _configure_ssh(folder, hosts))


def _free_subnet() -> str:
    routes = run("ip", "-4", "route", "show", "table", "all")
    start = os.getpid() % len(_SUBNETS)
    return next(each for each in _SUBNETS[start:] + _SUBNETS[:start] if f"{each}." not in routes)


def _lay_bridge(name: str, subnet: str) -> None:
    run("ip", "link", "add", name, "type", "bridge")
    run("ip", "addr", "add", f"{subnet}.1/24", "dev", name)
    run("ip", "link", "set", name, "up")


def _configure_ssh(folder: Path, hosts: list[Host]) -> Path:
    (folder / "known_hosts").write_text("".join(f"{host.name},{host.address} {host.host_key}\n" for host in hosts))
    aliases = "".join(f"Host {host.name}\n    HostName {host.address}\n" for host in hosts)
    (folder / "config").write_text(aliases + _SSH_CLIENT.format(folder=folder))
    return folder / "config"


def _inner_pid(pid: str) -> str:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "0"
    return next(line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:"))


def _empty(folder: Path) -> None:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
