from __future__ import annotations

import pytest

from autoscaler.serve.access import Access
from autoscaler.serve.message import Request

ACCESS = Access(hosts=frozenset({"10.0.0.5", "web1"}))
TOKEN = Access(hosts=frozenset(), token="s3cret-é")  # noqa: S106 - of this test only


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:9797",
        "LOCALHOST.",
        "127.0.0.1:9797",
        "127.8.8.8",
        "[::1]:9797",
        "[::ffff:127.0.0.1]",
        "10.0.0.5:1",
        "Web1:9797",
        "10.0.0.7",
        "",
    ],
)
def test_own_names_may_ask(host):
    assert ACCESS.refuse(Request(path="/status", host=host, local_host="::ffff:10.0.0.7")) is None


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9797", "127.0.0.1.evil.example", "10.0.0.8", "localhost, localhost", "[", "[::2]:9797", ":"]
)
@pytest.mark.parametrize("path", ["/status", "/metrics", "/-/healthy"])
def test_foreign_names_are_refused(host, path):
    refusal = ACCESS.refuse(Request(path=path, host=host, local_host="10.0.0.7"))

    assert refusal.status == 421
    assert b"no name of this machine" in refusal.body


def test_any_name_may_ask_over_tls():
    access = Access(hosts=frozenset(), is_encrypted=True)

    assert access.refuse(Request(path="/status", host="web1.example")) is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_who_knows_the_token_may_ask_from_anywhere(scheme):
    sent = f"{scheme} s3cret-é".encode().decode("latin-1")

    assert TOKEN.refuse(Request(path="/status", host="anything.example", authorization=sent)) is None


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic s3cret-é", "s3cret-é", "Bearer s3cret-é x"])
@pytest.mark.parametrize("path", ["/status", "/metrics", "/elsewhere"])
def test_who_does_not_know_the_token_is_refused(path, authorization):
    refusal = TOKEN.refuse(Request(path=path, host="localhost", authorization=authorization))

    assert refusal.status == 401
    assert ("WWW-Authenticate", "Bearer") in refusal.headers


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
def test_health_needs_no_token(path):
    assert TOKEN.refuse(Request(path=path, host="anything.example")) is None
