"""What `autoscaler check --connect` says of a swarm, in one line a backend."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from autoscaler.act.swarm import Swarm
from autoscaler.cli.main import program
from autoscaler.model import Counts
from tests.act.swarm.conftest import Services
from tests.swarm_nodes import SwarmOfNodes, missing, switched_on

pytestmark = pytest.mark.server

FORMATION = "\nformation: {web: {minimum: 1, maximum: 9}}\n"


@pytest.fixture
def write(tmp_path):
    """Write a configuration with keys of the backend, and return its path."""

    def write(keys: str):
        (tmp_path / "autoscaler.yaml").write_text(f"backend: {{swarm: {{{keys}}}}}{FORMATION}")
        return tmp_path / "autoscaler.yaml"

    return write


@pytest.fixture
def check(write):
    """Return what the backend's one line says."""

    def check(keys: str) -> str:
        result = CliRunner().invoke(program, ["check", "--connect", "-c", str(write(keys))])
        lines = [line for line in result.stdout.splitlines() if line.startswith("backend ")]
        assert len(lines) == 1, result.output
        return lines[0].removeprefix("backend default: ").removeprefix("failed: ").removeprefix("web: ")

    return check


@pytest.fixture(scope="module")
def lone_node():
    """An engine that serves TLS, and is in no swarm."""
    if reason := missing():
        pytest.skip(reason)
    with switched_on(("lone",), serves_tls=True) as (node,):
        yield node


def tls_keys(node) -> dict[str, str]:
    certificate, key = map(str, node.certificate)
    return {"address": f"https://{node.cable.address}:2376", "ca": certificate, "certificate": certificate, "key": key}


def written(keys: dict[str, str]) -> str:
    return ", ".join(f'{key}: "{value}"' for key, value in keys.items())


def test_a_service_that_is_there_is_counted(one_node, check):
    one_node.create("web")
    assert check(f'address: "{one_node.manager.address}"') == "ok: web 0"


def test_a_service_that_is_not_there_is_named_with_those_near_it(one_node, check):
    one_node.create("shop_web")
    line = check(f'address: "{one_node.manager.address}"')
    assert line == "there is no service web; near it is shop_web: correct service or names"


def test_a_worker_is_no_manager(two_nodes, check):
    worker = two_nodes.nodes[1]
    line = check(f'address: "{worker.address}"')
    words = "it is a worker of its swarm, and only a manager knows the services; set address to a manager's"
    assert line == f"{worker.socket}: {words}"


def test_an_engine_without_a_swarm_is_said_so(lone_node, check):
    words = "it is not part of a swarm; run docker swarm init or docker swarm join there, or set address to a manager's"
    assert check(f'address: "{lone_node.address}"') == f"{lone_node.socket}: {words}"
    assert check(written(tls_keys(lone_node))) == f"{lone_node.cable.address}:2376: {words}"


def test_a_socket_that_is_not_there_is_named(tmp_path, check):
    line = check(f'address: "unix://{tmp_path}/docker.sock"')
    assert line == f"there is no socket {tmp_path}/docker.sock; start the Docker Engine, or set address to where a manager listens"


def test_a_socket_that_one_may_not_use_is_named(one_node, write):
    one_node.create("web")
    one_node.manager.forbid()
    file = write(f'address: "{one_node.manager.address}"')
    # A root that may not pass over the rights of files is as good as another user, and reads this checkout wherever it is.
    bare = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    done = subprocess.run([*bare, sys.executable, "-m", "autoscaler", "check", "--connect", "-c", file], capture_output=True, text=True, check=False)
    words = "run the controller as a member of the group that owns it, or as root"
    assert f"no permission for the socket {one_node.manager.socket}; {words}\n" in done.stdout


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        (("ca",), "failed: self-signed certificate"),
        (("certificate", "key"), "wants to see a client's certificate; set certificate and key"),
    ],
)
def test_tls_is_checked_by_both_sides(lone_node, check, left_out, words):
    keys = {key: value for key, value in tls_keys(lone_node).items() if key not in left_out}
    assert words in check(written(keys))


def test_a_swarm_is_scaled_over_tls(lone_node, eventually):
    swarm = SwarmOfNodes(lone_node)
    swarm.form(has_image=False)
    swarm.create("web")
    services = Services(Swarm(**tls_keys(lone_node)), eventually).connect()
    services.wait_counts(Counts(desired=0))
    assert services.scale(web=1) == [None]
    services.wait(lambda seen: seen.counts.desired == 1)
    services.close()
