"""A controller over a real swarm of two nodes, under load, while one of them is killed."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from itertools import pairwise

import pytest

pytestmark = pytest.mark.server

# Takes jobs by renaming them, so that none is taken twice, and ends between two of them. With /shared/hurry each takes no time.
WORKER = """
trap stop=1 TERM
until [ "$stop" ]; do
    sleep 0.05
    for job in /shared/jobs/*; do
        name=${job##*/}
        [ -z "$stop" ] && mv "$job" "/shared/taken/$name" 2> /dev/null || continue
        [ -e /shared/hurry ] || sleep 0.2
        mv "/shared/taken/$name" "/shared/done/$name"
    done
done
"""
CONFIGURATION = """
interval: 300ms
listen: null
backend: {{swarm: {{address: "{address}", service: "shop_{{type}}"}}}}
metrics:
  waiting: {{command: {{command: "ls {jobs} | wc -l"}}, every: 300ms}}
defaults:
  scale_out: {{at_most: [8 per 1s]}}
  scale_in: {{stabilization: 1s, at_most: [100% per 1s]}}
formation:
  worker:
    minimum: 1
    maximum: 8
    policies: [{{backlog: {{waiting: waiting, per_process: 10}}}}]
"""


@contextmanager
def controller(folder, swarm):
    """Run the controller as its users do; yield how to read its decisions so far."""
    file, record = folder / "autoscaler.yaml", folder / "record"
    file.write_text(CONFIGURATION.format(address=swarm.manager.address, jobs=swarm.shared / "jobs"))
    command = [sys.executable, "-m", "autoscaler", "run", "-c", file, "--record", record, "--log-format", "logfmt"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            yield lambda: [json.loads(line) for line in record.read_text().splitlines() if '"decision"' in line] if record.exists() else []
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)
            sys.stdout.write((folder / "log").read_text())


def count(folder):
    return sum(1 for _ in folder.iterdir())


def observed(decisions, *states):
    return [tuple(line["observed"][state] for state in states) for line in decisions]


@pytest.fixture
def jobs(two_nodes):
    """Return the folder of jobs that wait for the workers."""
    for name in ("jobs", "taken", "done"):
        (two_nodes.shared / name).mkdir()
    two_nodes.create("shop_worker", ("sh", "-c", WORKER), 1)
    return two_nodes.shared / "jobs"


def test_a_node_that_is_killed_under_load_neither_counts_nor_makes_too_many(two_nodes, jobs, eventually, tmp_path):
    with controller(tmp_path, two_nodes) as decisions:
        eventually(lambda: (1, 1) in observed(decisions(), "desired", "running"), pause=0.1)
        for number in range(250):
            (jobs / f"{number:03}").touch()
        eventually(lambda: (8, 8) in observed(decisions(), "desired", "running"), 30)
        two_nodes.nodes[1].power_off()
        eventually(lambda: (4, 4) in observed(decisions(), "unknown", "running"), 30)
        eventually(lambda: (4, 8) in observed(decisions(), "unknown", "running"), 30)
        (two_nodes.shared / "hurry").touch()
        eventually(lambda: observed(decisions(), "desired", "running")[-1] == (1, 1), 60)
        two_nodes.nodes[1].power_on()
        eventually(lambda: observed(decisions(), "desired", "running", "unknown")[-1] == (1, 1, 0), 30)
        lines = decisions()
    assert "node second does not answer: 4 of shop_worker may run there" in (tmp_path / "log").read_text()
    targets = [line["target"] for line in lines]
    goes_out = [later > earlier for earlier, later in pairwise(targets) if later != earlier]
    assert goes_out == sorted(goes_out, reverse=True), "out, and then in: not to and fro"
    assert max(*targets, *(sum(each) for each in observed(lines, "running", "starting"))) == 8
    assert two_nodes.replicas("shop_worker") == 1
    assert count(jobs) == 0
    assert count(two_nodes.shared / "done") >= 250 - 4, "only what the killed node had in hand is lost"
