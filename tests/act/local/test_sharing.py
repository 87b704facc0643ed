"""All processes of a type can share one listening socket, which outlives them."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.model import Address
from tests.local_formation import process_type

# Finds its socket by the rules of sd_listen_fds(3): the pid must be its own, descriptors begin at 3.
SERVE = """
import os, socket
assert os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1"
server = socket.socket(fileno=3)
assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1 and server.getblocking()
assert os.environ["PORT"] == str(server.getsockname()[1])
assert os.read(0, 1) == b""
while True:
    client, _ = server.accept()
    client.sendall(os.environ["PS"].encode())
    client.close()
"""


@pytest.fixture
def address(free_port) -> Address:
    return Address("127.0.0.1", free_port)


@pytest.fixture
def served(stage, address):
    (stage.folder / "app.py").write_text(SERVE)
    return process_type(command="exec python3 app.py", socket="shared", listen=address)


def ask(address: Address) -> str:
    with socket.create_connection((address.host, address.port), timeout=20) as client:
        return client.makefile().read()


def test_a_process_is_handed_the_socket(stage, served, address):
    stage.connect(served)
    stage.scale(web=2)
    assert ask(address) in {"web.1", "web.2"}


def test_connections_wait_while_no_process_runs(stage, served, address):
    stage.connect(served)
    with socket.create_connection((address.host, address.port), timeout=20) as early:
        stage.scale(web=1)
        assert early.makefile().read() == "web.1"
        stage.scale(web=0)
        stage.wait(lambda seen: not seen.processes)
    with socket.create_connection((address.host, address.port), timeout=20):
        pass


def test_a_command_of_several_words_is_handed_the_socket(stage, address):
    command = 'test "$LISTEN_PID" = $$ && test -S /proc/self/fd/3 && echo yes > "it has"; exec sleep 60'
    stage.run(command, socket="shared", listen=address)
    assert stage.wait_file("it has") == "yes\n"


def test_the_socket_is_free_after_closing(stage, served, address):
    stage.connect(served)
    stage.close()
    with socket.socket() as other:
        other.bind((address.host, address.port))


def test_a_new_address_is_open_before_the_old_one_closes(stage, served, address, free_ports):
    new = Address("127.0.0.1", free_ports(1)[0])
    backend = stage.connect(served)
    changed = process_type(command=served.command, socket="shared", listen=new)
    assert stage.connect(changed, previous=backend) is backend
    stage.scale(web=1)
    assert ask(new) == "web.1"
    with pytest.raises(ConnectionRefusedError):
        ask(address)


def test_running_processes_move_to_a_new_address(stage, served, address, free_ports):
    new = Address("127.0.0.1", free_ports(1)[0])
    backend = stage.connect(served)
    stage.scale(web=1)
    assert ask(address) == "web.1"
    stage.connect(replace(served, listen=new), previous=backend)
    assert ask(new).startswith("web.")


def test_an_unchanged_address_stays_open_over_a_reload(stage, served, address):
    backend = stage.connect(served)
    with socket.create_connection((address.host, address.port), timeout=20) as early:
        stage.connect(served, previous=backend)
        stage.scale(web=1)
        assert early.makefile().read() == "web.1"


@pytest.mark.parametrize(
    ("listen", "says"),
    [
        (None, "formation.web.listen: missing"),
        (Address("192.0.2.1", 8000), "192.0.2.1:8000 is not an address of this machine"),
        (Address("no-such-host.invalid", 8000), "cannot be listened on"),
    ],
)
def test_an_address_that_cannot_be_had_is_named(stage, listen, says):
    with pytest.raises(BackendError, match=says):
        stage.connect(process_type(socket="shared", listen=listen))


def test_two_types_cannot_have_one_address(stage, address):
    types = [process_type(name, socket="shared", listen=address) for name in ("web", "api")]
    with pytest.raises(BackendError, match=f"formation.api: api listens on {address} like web"):
        stage.connect(*types)


def test_an_address_of_the_newer_internet_works(stage):
    stage.run("echo $PORT > port; exec sleep 60", socket="shared", listen=Address("::1", 0))
    port = int(stage.wait_file("port"))
    with socket.create_connection(("::1", port), timeout=20):
        pass


def test_a_renamed_type_keeps_the_socket(stage, served, address):
    backend = stage.connect(served)
    with socket.create_connection((address.host, address.port), timeout=20) as early:
        stage.connect(replace(served, name="www"), previous=backend)
        stage.scale(www=1)
        assert early.makefile().read() == "www.1"


def test_two_types_can_swap_their_addresses(stage, served, address, free_ports):
    other = Address("127.0.0.1", free_ports(1)[0])
    backend = stage.connect(served, replace(served, name="api", listen=other))
    stage.connect(replace(served, listen=other), replace(served, name="api"), previous=backend)
    stage.scale(web=1, api=1)
    assert [ask(address), ask(other)] == ["api.1", "web.1"]


def test_a_type_put_back_while_it_drains_has_its_socket(stage, served, address):
    slow = process_type(command="trap '' TERM; echo up > up; while :; do sleep 0.02; done", socket="shared", listen=address, stop_timeout_seconds=60)
    backend = stage.connect(slow)
    stage.scale(web=1)
    stage.wait_file("up")
    stage.connect(process_type("job"), previous=backend)
    stage.connect(served, previous=backend)
    stage.scale(web=1)
    assert ask(address) == "web.2"


def test_an_address_is_let_go_when_its_last_process_has_ended(stage, served, address):
    backend = stage.connect(served)
    stage.scale(web=1)
    assert ask(address) == "web.1"
    stage.connect(process_type("job"), previous=backend)

    def is_free() -> bool:
        with socket.socket() as other:
            return other.connect_ex((address.host, address.port)) == errno.ECONNREFUSED

    stage.eventually(is_free)


@pytest.mark.parametrize(("before", "after"), [("none", "shared"), ("shared", "none")])
def test_a_restart_has_the_port_of_the_new_configuration(stage, address, before, after):
    ports = {"none": stage.port, "shared": address.port}
    old = process_type(command="echo $PORT >> ports; until [ -e go ]; do sleep 0.01; done", socket=before, listen=address)
    backend = stage.connect(old)
    stage.scale(web=1)
    assert stage.wait_file("ports") == f"{ports[before]}\n"
    stage.connect(replace(old, socket=after, command="echo $PORT > again; exec sleep 60"), previous=backend)
    (stage.folder / "go").touch()
    # The old one may drain still, and then the new one is web.2; a shared socket has one port for all.
    assert int(stage.wait_file("again")) - ports[after] in ({0, 1} if after == "none" else {0})


def test_a_command_without_exec_is_handed_the_socket_too(stage, served, address):
    stage.connect(replace(served, command="A=1 python3 app.py"))
    stage.scale(web=1)
    assert ask(address) == "web.1"
    assert stage.see().notes == ()


def test_a_compound_command_without_exec_is_warned_of(stage, address):
    stage.run("true; sleep 60", socket="shared", listen=address)
    assert stage.see().notes == ("web: write `exec` before the server's command, or LISTEN_PID is the shell's and the server finds no socket",)
