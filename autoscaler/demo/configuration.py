"""Write the demo's configuration file, of the kind a user writes."""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

import autoscaler
from autoscaler.demo.ports import find_free_port, find_free_ports
from autoscaler.model import Address

MARKER = "AUTOSCALER_DEMO_RUN"  # an environment variable by which a run of the demo knows its children
MAXIMUM = 6  # processes of each type
_PORTS_APART = 200  # PORT and METRICS_PORT of two types, a hundred apart, must not meet
_FILE = """\
# The windows are a few seconds, so that one sees scale-in within a minute; the default looks back 5 minutes.
interval: 1s
listen: null
backend: {{local: {{port: {port}, metrics_port: {metrics_port}}}}}

metrics:
  requests_per_second:
    prometheus_text: {{process_type: web, each_process: true, metric: demo_requests_total, kind: counter}}
    every: 1s
  jobs_waiting: {{sql: {{url: {url}, query: "select count(*) from jobs where state = 'waiting'"}}, every: 1s}}
  jobs_running: {{sql: {{url: {url}, query: "select count(*) from jobs where state = 'running'"}}, every: 1s}}

defaults:
  scale_out: {{at_most: [4 per 2s]}}
  scale_in: {{stabilization: {window}s, at_most: [50% per 2s]}}

formation:
  web:
    command: {web}
    socket: shared
    listen: {listen}
    minimum: 1
    maximum: {maximum}
    environment: {environment}
    policies:
      - target: {{metric: requests_per_second, per_process: 7}}  # a process answers 10 a second at most
  worker:
    command: {worker}
    minimum: 1
    maximum: {maximum}
    environment: {environment}
    policies:
      - backlog: {{waiting: jobs_waiting, busy: jobs_running, job_takes: 400ms, clear_within: 2s}}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run of the demo happens."""

    folder: Path
    web: Address
    port: int  # of the first process; the others follow
    metrics_port: int
    token: str  # marks the children of this run

    @property
    def file(self) -> Path:
        """Name the configuration file."""
        return self.folder / "autoscaler.yaml"

    @property
    def jobs(self) -> Path:
        """Name the queue's file."""
        return self.folder / "jobs.db"

    @property
    def log(self) -> Path:
        """Name the file that takes what the children print."""
        return self.folder / "processes.log"


def choose_place(folder: Path) -> Place:
    """Find ports that nobody uses now, and a token that nobody else has."""
    first = find_free_ports(_PORTS_APART + MAXIMUM)
    return Place(folder, Address("127.0.0.1", find_free_port()), first, first + _PORTS_APART, os.urandom(8).hex())


def write_configuration(place: Place, seconds: float) -> None:
    """Write the file; a short demo gets a short window, so that it scales in before it ends."""
    place.file.write_text(
        _FILE.format(
            port=place.port,
            metrics_port=place.metrics_port,
            url=json.dumps(f"sqlite:///{place.jobs}"),
            window=max(2, round(seconds / 12)),
            web=json.dumps(_command(place, "autoscaler.demo.web")),
            worker=json.dumps(_command(place, "autoscaler.demo.worker", str(place.jobs))),
            listen=place.web,
            maximum=MAXIMUM,
            environment=json.dumps({MARKER: place.token, "PYTHONPATH": _import_path()}),
        )
    )


def _command(place: Place, module: str, *arguments: str) -> str:
    program = shlex.join([sys.executable, "-m", module, *arguments])
    return f"exec {program} >>{shlex.quote(str(place.log))} 2>&1"


def _import_path() -> str:
    """Let the children find this very package, wherever they start and however it was installed."""
    ours = str(Path(autoscaler.__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return f"{ours}{os.pathsep}{inherited}" if inherited else ours
