import socket

import pytest

from autoscaler.demo import plain_http
from autoscaler.demo.plain_http import answer, read_head


@pytest.fixture
def ends():
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def test_the_head_ends_with_an_empty_line(ends):
    client, server = ends
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert read_head(server) == b"GET / HTTP/1.1\r\n\r\n"


def test_a_client_that_closes_leaves_what_it_said(ends):
    client, server = ends
    client.sendall(b"GET")
    client.close()
    assert read_head(server) == b"GET"


def test_a_silent_client_is_not_waited_for_long(ends, monkeypatch):
    monkeypatch.setattr(plain_http, "_PATIENCE_SECONDS", 0.05)
    assert read_head(ends[1]) == b""


def test_a_head_without_end_is_cut_off(ends):
    client, server = ends
    client.sendall(b"x" * 20_000)
    assert len(read_head(server)) < 20_481


def test_an_answer_says_its_length_in_bytes(ends):
    client, server = ends
    answer(server, "é\n")
    assert b"Content-Length: 3\r\n" in client.recv(4096)


def test_a_client_that_is_gone_disturbs_nobody(ends):
    client, server = ends
    client.close()
    answer(server, "done\n")
    assert server.fileno() == -1
