from __future__ import annotations

import json
import socket
import ssl
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from autoscaler.model import Address
from autoscaler.serve import http
from autoscaler.serve.http import ServeError, Server
from autoscaler.settings import Listen

PATHS = ["/metrics", "/status", "/-/healthy", "/-/ready"]


def say(address: Address, sent: bytes) -> bytes:
    """Send bytes as they are and return all that is answered."""
    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def is_cut_off(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_metrics_are_served(client, site, make_tick):
    site.ticked(make_tick())

    answer = client.ask("/metrics")

    families = {family.name for family in text_string_to_metric_families(answer.text)}
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "autoscaler_target_processes" in families


def test_metrics_are_negotiated(client):
    answer = client.ask("/metrics?name[]=autoscaler_build_info", Accept="application/openmetrics-text", Accept_Encoding="gzip")

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")


def test_status_is_served(client, site, make_tick):
    site.ticked(make_tick())

    answer = client.ask("/status")

    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.body)["formation"]["worker"]["counts"]["running"] == 2


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
def test_head_answers_like_get_without_the_body(client, path):
    head, get = client.ask(path, "HEAD"), client.ask(path)

    assert (head.status, head.body) == (get.status, b"")
    assert head.headers["Content-Length"] != "0"
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


def test_unknown_path_is_not_found(client):
    answer = client.ask("/nothing?at=all")

    assert (answer.status, answer.text) == (404, "There is /metrics, /status, /-/healthy and /-/ready.\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/status", "/nothing"])
def test_other_methods_are_not_allowed(client, method, path):
    answer = client.ask(path, method, body=b"x" * 60000)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /status HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"GET /status HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"GET /status HTTP/1.1\r\n" + b"A: b\r\n" * 101, b"431"),
        (b"GET /status HTTP/1.1\r\n" + b"A: " + b"b" * 40000 + b"\r\n", b"431"),
        (b"GET /" + b"a" * 65532, b"414"),
        (b"GET /status HTTP/7.1\r\n\r\n", b"505"),
        (b"HELLO\r\n\r\n", b"400"),
        (b"GET /status HTTP/1.0\r\n\r\n", b"200"),
    ],
)
def test_odd_requests_get_a_plain_answer(serve, sent, status):
    # Nothing is sent beyond what the server reads: closing a connection with unread bytes resets it.
    head, _, body = say(serve(), sent).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.0 " + status)
    assert b"html" not in body.lower()


@pytest.mark.parametrize("path", PATHS)
def test_wrong_host_is_refused(client, path):
    answer = client.ask(path, Host="evil.example")

    assert answer.status == 421
    assert "'evil.example' is no name of this machine" in answer.text


def test_names_of_this_machine_may_ask(client):
    hosts = ["localhost:9797", "127.0.0.1", socket.gethostname()]

    assert [client.ask("/status", Host=host).status for host in hosts] == [200, 200, 200]


def test_token_opens_every_path(serve, make_client):
    client = make_client(serve(token="s3cret"))  # noqa: S106 - of this test only

    assert [client.ask(path).status for path in PATHS] == [401, 401, 200, 503]
    assert client.ask("/status", Authorization="Bearer wrong").status == 401
    assert client.ask("/status", Authorization="Bearer s3cret", Host="anything.example").status == 200


def test_nothing_is_said_about_the_library(client):
    assert client.ask("/status").headers["Server"] == "autoscaler"


def test_port_in_use_is_named_with_the_fix(serve, site):
    taken = serve()

    with pytest.raises(ServeError, match=rf"listen: 127\.0\.0\.1:{taken.port} is taken by another program; end that one, or choose another port"):
        Server(Listen(address=taken), site).start()


@pytest.mark.parametrize("host", ["192.0.2.1", "..", "a" * 70])
def test_foreign_address_is_named_with_the_fix(site, host):
    with pytest.raises(ServeError, match=r"listen: .*:0 cannot be opened .*; name an address of this machine"):
        Server(Listen(address=Address(host, 0)), site).start()


def test_port_that_needs_rights_is_named_with_the_fix():
    assert http._cause(PermissionError(13, "Permission denied")) == "may not be opened by this user; choose a port above 1023"


def test_ipv6_is_served(serve, make_client):
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    address = serve(address=Address("::1", 0))

    assert make_client(address).ask("/status").status == 200


def test_tls_is_served(serve, make_client, certificate):
    address = serve(certificate=certificate[0], key=certificate[1])
    context = ssl.create_default_context(cafile=certificate[0])

    answer = make_client(address, context=context).ask("/status", Host="web1.example")

    assert answer.status == 200


def test_tls_client_that_never_shakes_hands_keeps_nobody_waiting(serve, make_client, certificate):
    address = serve(certificate=certificate[0], key=certificate[1])
    context = ssl.create_default_context(cafile=certificate[0])

    with socket.create_connection((address.host, address.port)):
        assert make_client(address, context=context).ask("/-/healthy").status == 200


def test_plain_client_of_a_tls_port_is_cut_off_quietly(serve, certificate, capfd):
    address = serve(certificate=certificate[0], key=certificate[1])

    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        connection.sendall(b"GET /status HTTP/1.0\r\n\r\n")
        while not is_cut_off(connection):
            pass

    assert capfd.readouterr().err == ""


def test_certificate_that_is_not_there_is_named(site, tmp_path, certificate):
    listen = Listen(address=Address("127.0.0.1", 0), certificate=tmp_path / "nowhere.pem", key=certificate[1])

    with pytest.raises(ServeError, match=r"listen: certificate .*nowhere\.pem and key .* cannot be used"):
        Server(listen, site).start()


def test_silent_client_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(http._Handler, "timeout", 0.05)
    address = serve()

    with socket.create_connection((address.host, address.port), timeout=20) as connection:
        connection.sendall(b"GET /status HTTP/1.1\r\n")
        assert is_cut_off(connection)


def test_client_that_drips_is_cut_off(serve, monkeypatch):
    monkeypatch.setattr(http, "_REQUEST_SECONDS", 0.05)
    address = serve()

    with socket.create_connection((address.host, address.port), timeout=0.02) as connection:
        assert is_cut_off_while_dripping(connection)


def is_cut_off_while_dripping(connection: socket.socket) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            connection.sendall(b"G")
            if is_cut_off(connection):
                return True
        except TimeoutError:
            continue
        except BrokenPipeError:
            return True
    return False


def test_one_client_too_many_is_turned_away(serve, make_client, monkeypatch, eventually):
    monkeypatch.setattr(http, "_MOST_CONNECTIONS", 1)
    address = serve()

    with (
        socket.create_connection((address.host, address.port), timeout=20),
        socket.create_connection((address.host, address.port), timeout=20) as second,
    ):
        assert is_cut_off(second)
    assert eventually(lambda: _is_served(make_client(address)))


def _is_served(client) -> bool:
    try:
        return client.ask("/-/healthy").status == 200
    except ConnectionError:
        return False


def test_closing_does_not_wait_for_hanging_clients(site):
    server = Server(Listen(address=Address("127.0.0.1", 0)), site)
    address = server.start()
    clients = [socket.create_connection((address.host, address.port), timeout=20) for _ in range(20)]

    began = time.monotonic()
    server.close()
    seconds = time.monotonic() - began

    assert all(is_cut_off(client) for client in clients)
    assert seconds < 5  # 0.5 on a machine with nothing else to do
    for client in clients:
        client.close()


def test_closed_server_frees_its_port(site):
    server = Server(Listen(address=Address("127.0.0.1", 0)), site)
    address = server.start()
    server.close()
    server.close()

    again = Server(Listen(address=address), site)
    assert again.start() == address
    again.close()


def test_mistake_of_ours_shows_its_traceback(client, site, monkeypatch, capfd, eventually):
    monkeypatch.setattr(site, "_exporter", None)

    with pytest.raises(ConnectionError):
        client.ask("/metrics")

    assert eventually(lambda: "AttributeError" in capfd.readouterr().err)
