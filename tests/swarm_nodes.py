"""Real Docker Engines in network namespaces of their own, one or two to a swarm, of which nothing is left afterwards."""

from __future__ import annotations

import functools
import http.client
import io
import itertools
import json
import os
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.swarm import Swarm
from autoscaler.model import ProcessType
from tests.systemd_hosts import Cable
from tests.systemd_machines import Machine, run, wait

IMAGE = "tiny:1"
TLS_PORT = 2376
SLEEPER = ("sleep", "10000")
# Deaf to TERM until a file is there: such a process drains for as long as the test wants.
DRAINER = ("sh", "-c", "trap 'until [ -e /shared/finish ]; do sleep 0.05; done; exit 0' TERM; sleep 10000 & wait")

_PROGRAMS = ("dockerd", "docker", "containerd", "runc", "busybox", "tini", "iptables", "ip", "unshare", "nsenter")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_UNIFIED = ("/sys/fs/cgroup/unified/cgroup.procs", "/sys/fs/cgroup/cgroup.procs")
_NEEDED = "needs root, cgroups of version 2 and the packages docker.io, busybox-static, tini, iptables and iproute2"
_NUMBERS = itertools.count()
_SUBNETS = [f"10.98.{third}" for third in range(256)]
_SECOND = 1_000_000_000  # nanoseconds, as the engine counts

# The engine sees a tree of cgroups of its own, with no process at its root, so that it may hand on controllers.
_JOIN = """
echo $$ > "$CGROUP/cgroup.procs"
exec unshare --cgroup sh -euc 'echo $$ > "$CGROUP/engine/cgroup.procs"; exec unshare "$@"' sh "$@"
"""
_NODE = """
hostname "$NAME"
mount -t proc proc /proc
mount -t sysfs sysfs /sys
umount -R /sys/fs/cgroup 2> /dev/null || :
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control; done
mkdir "$FOLDER/run/lock"
mount --bind "$FOLDER/run" /run
ip link set lo up
until ip -o -4 addr show eth0 2> /dev/null | grep -q inet; do sleep 0.01; done
[ "$KEEPS" ] || mount -t tmpfs tmpfs "$FOLDER/data"
exec tini -s -- dockerd --data-root "$FOLDER/data" --exec-root /run/docker --pidfile /run/docker.pid --host "unix://$FOLDER/docker.sock" "$@"
"""


def missing() -> str | None:
    """Say why no Docker Engine can be started here, in one line; None: it can."""
    program = next((each for each in _PROGRAMS if shutil.which(each, path=_PATH) is None), None)
    can = os.geteuid() == 0 and program is None and any(map(os.path.exists, _UNIFIED))
    if can and not subprocess.call(["unshare", "--mount", "--pid", "--net", "--fork", "true"]):
        return None
    return f"{_NEEDED}{f' ({program} is not there)' if program else ''}; enable with: make test-servers, as root"


class Node(Machine):
    """A Docker Engine with its own processes, mounts, cgroups and network, on a bridge. It starts switched off.

    One that does not keep its data has them in memory: large images are there, and gone, in no time.
    """

    def __init__(self, name: str, cable: Cable, *, keeps: bool = True) -> None:
        self.cable = cable
        self.keeps = keeps
        super().__init__(name)
        (self.folder / "data").mkdir(mode=0o711)
        self._options: tuple[str, ...] = ()
        self.socket = self.folder / "docker.sock"
        self.address = f"unix://{self.socket}"

    def docker(self, *arguments: str | Path, check: bool = True) -> str:
        """Run the real docker command against this engine and return what it printed."""
        return run("/usr/bin/docker", "--host", self.address, *arguments, check=check)

    def ask(self, method: str, path: str, body: object = None) -> object:
        """Ask the engine's API past the code under test; fail unless it says success."""
        connection = _Connection(self.socket)
        try:
            connection.request(method, f"/v1.41{path}", None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text.decode()}"
        return json.loads(text) if text.strip() else None

    def serve_tls(self) -> None:
        """Listen on the bridge too, from the next start, for clients that show the very certificate that the engine shows."""
        certificate, key = self.certificate
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=test", "-addext", f"subjectAltName=IP:{self.cable.address}", "-addext", "extendedKeyUsage=serverAuth,clientAuth"]
        run(*command, *names, "-keyout", key, "-out", certificate)
        files = (f"--tlscacert={certificate}", f"--tlscert={certificate}", f"--tlskey={key}")
        self._options = ("--tlsverify", *files, f"--host=tcp://0.0.0.0:{TLS_PORT}")

    @property
    def certificate(self) -> tuple[Path, Path]:
        """The files of the certificate and its key, where TLS is served."""
        return self.folder / "certificate.pem", self.folder / "key.pem"

    def power_on(self) -> None:
        """Start the engine without waiting for it, with all that it had when it was switched off."""
        self.socket.unlink(missing_ok=True)
        self._take_controllers_back()
        (self.cgroup / "engine").mkdir()
        super().power_on()
        wait(self._init_pid, f"{self.name} has no PID 1")
        self.cable.plug(self._init_pid())

    def power_off(self) -> None:
        """Kill everything of the node at once; nothing is said on the network either."""
        self.cable.pull()
        super().power_off()

    def forbid(self) -> None:
        """Give the socket to another user than root, until the next start."""
        os.chown(self.socket, 65534, 65534)
        self.socket.chmod(0o600)

    def allow(self) -> None:
        """Give the socket back to root."""
        os.chown(self.socket, 0, 0)

    def cut(self) -> None:
        """Take the node off the network: what is sent to it vanishes."""
        run("ip", "link", "set", self.cable.name, "down")

    def mend(self) -> None:
        """Give the node its network back."""
        run("ip", "link", "set", self.cable.name, "up")

    def import_image(self) -> None:
        """Make the image of a static busybox."""
        path = self.folder / "image.tar"
        path.write_bytes(_image())
        self.docker("import", path, IMAGE)

    def is_off(self) -> bool:
        """Say whether the node was switched off, or died."""
        return self._has_ended()

    def containers(self) -> int:
        """Count the containers that run."""
        return len(self.ask("GET", "/containers/json"))

    def _take_controllers_back(self) -> None:
        """A cgroup that hands on controllers, as the engine that is gone has left it, takes no process."""
        control = self.cgroup / "cgroup.subtree_control"
        control.write_text(" ".join(f"-{each}" for each in control.read_text().split()))

    def _links(self) -> tuple[str, ...]:
        return (self.cable.name, self.cable.bridge)

    def _is_up(self) -> bool:
        try:
            return bool(self.ask("GET", "/version"))
        except (OSError, http.client.HTTPException):
            return False

    def _init_pid(self) -> int:
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else 0

    def _command(self) -> list[str]:
        spaces = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net", "--propagation=private"]
        return ["sh", "-euc", _JOIN, "sh", *spaces, "sh", "-euc", _NODE, "sh", *self._options]

    def _variables(self) -> dict[str, str]:
        return {
            "PATH": _PATH,
            "NAME": self.name,
            "FOLDER": str(self.folder),
            "CGROUP": str(self.cgroup),
            "KEEPS": "yes" if self.keeps else "",
            # No registry is asked for an image that is there.
            "DOCKER_SERVICE_PREFER_OFFLINE_IMAGE": "1",
        }


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=30)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class SwarmOfNodes:
    """A swarm of one or two nodes; the first one is its manager."""

    def __init__(self, *nodes: Node) -> None:
        self.nodes = nodes
        self.manager = nodes[0]
        self._folders = itertools.count()
        self.shared = self._new_folder()

    def form(self, *, has_image: bool = True) -> None:
        """Put the nodes into one swarm that notices a dead one within seconds, and give each the image: without it nothing comes to run."""
        leader = f"{self.manager.cable.address}:2377"
        quick = {"Dispatcher": {"HeartbeatPeriod": _SECOND}}
        place = {"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": self.manager.cable.address}
        self.manager.ask("POST", "/swarm/init", {**place, "Spec": quick})
        token = self.manager.ask("GET", "/swarm")["JoinTokens"]["Worker"]
        for node in self.nodes[1:]:
            join = {"ListenAddr": "0.0.0.0:2377", "AdvertiseAddr": node.cable.address, "RemoteAddrs": [leader], "JoinToken": token}
            node.ask("POST", "/swarm/join", join)
        for node in self.nodes if has_image else ():
            node.import_image()

    def create(self, name: str, command: tuple[str, ...] = SLEEPER, replicas: int = 0, **more: object) -> str:
        """Create a service and return its id; its processes find the test's folder ``shared`` at /shared."""
        mount = {"Type": "bind", "Source": str(self.shared), "Target": "/shared"}
        container = {"Image": IMAGE, "Command": list(command), "Init": True, "Mounts": [mount], "StopGracePeriod": 60 * _SECOND}
        template = {"ContainerSpec": container, "RestartPolicy": {"Condition": "any", "Delay": _SECOND // 10}}
        spec = {"Name": name, "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": replicas}}, **more}
        return self.manager.ask("POST", "/services/create", spec)["ID"]

    def service(self, name: str) -> dict:
        """Return a service as its engine has it."""
        return self.manager.ask("GET", f"/services/{name}")

    def replicas(self, name: str) -> int:
        """Return how many processes the engine was last told."""
        return self.service(name)["Spec"]["Mode"]["Replicated"]["Replicas"]

    def tasks(self, name: str) -> list[dict]:
        """Return every task of a service that the engine still knows."""
        return self.manager.ask("GET", f"/tasks?filters={quote(json.dumps({'service': [name]}))}")

    def clear(self) -> None:
        """Bring every node back that is away, and remove every service; its processes end by themselves."""
        for node in self.nodes:
            if node.is_off():
                node.power_on()
            node.mend()
        for node in self.nodes:
            node.wait_up()
            node.allow()
        wait(lambda: self.manager.ask("GET", "/info")["Swarm"]["ControlAvailable"], "the swarm has no manager")
        for service in self.manager.ask("GET", "/services"):
            self.manager.ask("DELETE", f"/services/{service['ID']}")
        (self.shared / "finish").touch()
        self.shared = self._new_folder()

    def _new_folder(self) -> Path:
        folder = self.manager.folder / f"shared{next(self._folders)}"
        folder.mkdir(mode=0o777)
        return folder


@contextmanager
def switched_on(names: tuple[str, ...], *, serves_tls: bool = False, keeps: bool = True) -> Iterator[tuple[Node, ...]]:
    """Start so many engines on a bridge, each in no swarm."""
    tag, subnet = f"{os.getpid()}-{next(_NUMBERS)}", _free_subnet()
    cables = [Cable(f"fsb{tag}", f"fs{side}{tag}", subnet, number) for side, number in zip("vw", (2, 3), strict=True)]
    with ExitStack() as stack:
        nodes = tuple(Node(name, cable, keeps=keeps) for name, cable in zip(names, cables, strict=False))
        for node in nodes:
            stack.callback(node.discard)
        _lay_bridge(cables[0].bridge, subnet)
        for node in nodes:
            if serves_tls:
                node.serve_tls()
            node.power_on()
        for node in nodes:
            node.wait_up()
        yield nodes


@contextmanager
def swarm(*names: str) -> Iterator[SwarmOfNodes]:
    """Start one or two engines and put them into one swarm."""
    with switched_on(names) as nodes:
        made = SwarmOfNodes(*nodes)
        made.form()
        yield made


@functools.cache
def _started(config: pytest.Config, names: tuple[str, ...]) -> SwarmOfNodes:
    """Start a swarm once for all tests; it is removed when the tests end."""
    stack = ExitStack()
    config.add_cleanup(stack.close)
    with pytest.MonkeyPatch.context() as environment:
        for name in set(os.environ) - {"PATH"}:  # what the first test marks its processes with is not for what outlives it
            environment.delenv(name)
        return stack.enter_context(swarm(*names))


def lent(config: pytest.Config, names: tuple[str, ...]) -> Iterator[SwarmOfNodes]:
    """Lend the swarm of these nodes, which is without services then."""
    if reason := missing():
        pytest.skip(reason)
    made = _started(config, names)
    yield made
    made.clear()


@pytest.fixture
def one_node(request: pytest.FixtureRequest) -> Iterator[SwarmOfNodes]:
    """A swarm of one node, without services."""
    yield from lent(request.config, ("one",))


@pytest.fixture
def two_nodes(request: pytest.FixtureRequest) -> Iterator[SwarmOfNodes]:
    """A swarm of a manager and a worker, without services."""
    yield from lent(request.config, ("first", "second"))


@pytest.fixture
def connect_swarm(one_node: SwarmOfNodes) -> Callable[[], Backend]:
    """Return how to connect the backend to services for a web and a job type."""
    for name in ("web", "job"):
        one_node.create(name)
    types = (ProcessType(name="web", minimum=0, maximum=300), ProcessType(name="job", minimum=0, maximum=300))
    return lambda: Swarm(address=one_node.manager.address).connect(types, None)


def _free_subnet() -> str:
    routes = run("ip", "-4", "route", "show", "table", "all")
    start = os.getpid() % len(_SUBNETS)
    return next(each for each in _SUBNETS[start:] + _SUBNETS[:start] if f"{each}." not in routes)


def _lay_bridge(name: str, subnet: str) -> None:
    run("ip", "link", "add", name, "type", "bridge")
    run("ip", "addr", "add", f"{subnet}.1/24", "dev", name)
    run("ip", "link", "set", name, "up")


def _image() -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as image:
        image.add(shutil.which("busybox", path=_PATH), "bin/busybox")
        for name in ("sh", "sleep", "ls", "mv", "rm", "cat", "touch", "wc"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            image.addfile(link)
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        image.addfile(folder)
    return written.getvalue()
