"""The quickstart app on a host of its own, under systemd, with the controller as a unit beside it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tests.systemd_hosts import Host

_ROOT = Path(__file__).resolve().parent.parent
_SITE = Path(click.__file__).parents[1]  # where the packages of this Python are
_PYTHON = f"python3.{sys.version_info.minor}"
_AUTOSCALER = "/opt/autoscaler/bin/autoscaler"
_CONFIGURATION = "/etc/autoscaler/autoscaler.yaml"

# An installation that every user may run, wherever the checkout and its packages lie.
_INSTALL = f"""
/usr/bin/{_PYTHON} -m venv --without-pip /opt/autoscaler
mkdir /opt/packages /opt/checkout
printf '%s\\n' /opt/packages /opt/checkout /opt/checkout/policies /opt/checkout/simulations \
    > /opt/autoscaler/lib/{_PYTHON}/site-packages/autoscaler.pth
printf '%s\\n' '#!/opt/autoscaler/bin/python' 'from autoscaler.cli.main import main' 'main()' > {_AUTOSCALER}
chmod 755 {_AUTOSCALER}
"""
_MOUNT = f"""
mount --bind {shlex.quote(str(_SITE))} /opt/packages
mount --bind {shlex.quote(str(_ROOT))} /opt/checkout
"""
_COPY = """
useradd --system app
cp -r /opt/checkout/examples/quickstart /srv/app
chown -R app: /srv/app
"""

# Exported from the configuration that runs it beside a terminal, and changed as the notes of the export say.
_ADAPT = """
s/^backend:.*/backend: {systemd: {metrics_port: 15000}}/
/^    socket:/d
/^    listen:/d
s,sqlite:///jobs.db,sqlite:////srv/app/jobs.db,
s/stabilization: 10s, at_most: .50% per 5s./stabilization: 3s, at_most: [50% per 1s]/
"""
_RECORD = f"""
[Service]
ExecStart=
ExecStart={_AUTOSCALER} run -c {_CONFIGURATION} --record /var/lib/autoscaler/record
"""
# Asks for a page, or by turns for a page and a job, until its input is closed.
_LOAD = """
import select, sys, threading, urllib.request
def ask(path, data):
    urllib.request.urlopen("http://127.0.0.1:8000" + path, data, 10).read()
number, pause = 0, 1 / float(sys.argv[1])
while not select.select([0], [], [], pause)[0]:
    number += 1
    call = ("/jobs", b"") if sys.argv[2:] and number % 2 else ("/", None)
    threading.Thread(target=ask, args=call, daemon=True).start()
"""


def install_autoscaler(host: Host) -> None:
    """Put the autoscaler of the tests to /opt/autoscaler of a host."""
    host.run("bash", "-euc", _INSTALL)
    mount_autoscaler(host)


def mount_autoscaler(host: Host) -> None:
    """Make the installation whole again after a start of the host."""
    host.run("bash", "-euc", _MOUNT)


class QuietHost(Host):
    """A host whose network is nothing but its own loopback, so that every port is free."""

    def _command(self) -> list[str]:
        command = super()._command()
        command.insert(command.index("--fork"), "--net")
        return command


class SystemdApp:
    """The app with its units as the command exports them, installed by what the command says to type."""

    def __init__(self, host: Host, eventually: Callable[..., object]) -> None:
        self.host = host
        self._eventually = eventually

    def install(self) -> None:
        """Install all, and start the controller."""
        install_autoscaler(self.host)
        self.shell(_COPY)
        said = self.shell(f"cd /srv/app && {_AUTOSCALER} export systemd --run-as app")
        (self.host.folder / "adapt.sed").write_text(_ADAPT)
        self.shell(f"sed -i -f {self.host.folder}/adapt.sed /srv/app/autoscaler.yaml")
        self.host.write("autoscaler.service.d/record.conf", _RECORD, reload=False)
        self.shell("cd /srv/app\n" + said.partition("then type:\n")[2])

    def shell(self, script: str) -> str:
        """Run a script as root and return what it printed."""
        return self.host.run("bash", "-euc", script)

    def command(self, *arguments: str) -> str:
        """Run a command of the autoscaler as the controller's user."""
        return self.host.run("runuser", "-u", "autoscaler", "--", _AUTOSCALER, *arguments, "-c", _CONFIGURATION)

    @contextmanager
    def load(self, per_second: float, *, jobs: bool = False) -> Iterator[None]:
        """Ask so many times a second; half of it for jobs, if wanted."""
        command = [*self.host._enter(), f"/usr/bin/{_PYTHON}", "-c", _LOAD, str(per_second), *(["jobs"] if jobs else [])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL):
            yield  # its input is closed at the end, which ends it

    def change(self, before: str, after: str) -> None:
        """Change the configuration."""
        text = self.shell(f"cat {_CONFIGURATION}")
        assert before in text
        (self.host.folder / "autoscaler.yaml").write_text(text.replace(before, after))
        self.shell(f"cat {self.host.folder}/autoscaler.yaml > {_CONFIGURATION}")

    def lines(self) -> list[dict]:
        """Return the whole lines of the record."""
        whole = self.shell("cat /var/lib/autoscaler/record 2> /dev/null || :").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def decisions(self, process_type: str, after: dict | None = None) -> list[dict]:
        """Return what was decided for a type, later than another decision."""
        found = [line for line in self.lines() if line["event"] == "decision" and line["process_type"] == process_type]
        return [line for line in found if after is None or line["at"] > after["at"]]

    def decides(self, process_type: str) -> bool:
        """Tell whether the controller has seen a process run and decided on it."""
        return any(line["observed"]["running"] for line in self.decisions(process_type))

    def wait(self, condition: Callable[[], object], seconds: float = 30.0) -> object:
        """Wait for a condition; each look starts a program."""
        return self._eventually(condition, seconds, 0.1)

    def wait_for(self, **counts: int) -> None:
        """Wait until so many units of each type run, and no others."""
        self.wait(lambda: {name: len(self.running(name)) for name in counts} == counts)

    def running(self, process_type: str) -> list[str]:
        """Return the units of a type that run."""
        return self.host.active(f"app-{process_type}@*")

    def runs_workers(self, *numbers: int) -> bool:
        """Tell whether the workers of these numbers run, and no others."""
        return self.running("worker") == [f"app-worker@{number}.service" for number in numbers]

    def runs(self) -> dict[str, str]:
        """Return the identity of the run of each of the app's units: a restart is another run."""
        units = self.running("web") + self.running("worker")
        return {unit: self.host.properties(unit, "InvocationID")["InvocationID"] for unit in units}

    def status(self) -> str:
        """Return what ``systemctl status`` says of the controller's formation."""
        return self.host.properties("autoscaler.service", "StatusText")["StatusText"]

    def notes(self, process_type: str) -> list[str]:
        """Return the notes of a type at /status."""
        ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:9797/status', timeout=10).read().decode())"
        return json.loads(self.host.run(f"/usr/bin/{_PYTHON}", "-c", ask))["formation"][process_type]["notes"]

    def entries(self) -> list[dict]:
        """Return the controller's lines in the journal."""
        lines = self.host.run("journalctl", "--output=json", "--all", "_SYSTEMD_UNIT=autoscaler.service").splitlines()
        return [json.loads(line) for line in lines]

    def said(self, text: str) -> str | None:
        """Return the priority of the controller's first line that holds a text; None when it has said none yet."""
        return next((entry["PRIORITY"] for entry in self.entries() if text in entry["MESSAGE"]), None)
