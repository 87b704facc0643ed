import socket

import pytest

from autoscaler.demo import ports
from autoscaler.demo.ports import find_free_port, find_free_ports


def test_a_free_port_can_be_listened_on():
    socket.create_server(("127.0.0.1", find_free_port())).close()


def test_a_row_of_free_ports_skips_one_in_use(monkeypatch):
    first = find_free_ports(600)
    monkeypatch.setattr(ports, "_FIRST", first)
    monkeypatch.setattr(ports.os, "getpid", lambda: 0)
    with socket.create_server(("127.0.0.1", first + 3)):
        assert find_free_ports(10) == first + ports._STRIDE


def test_no_free_row_is_told_with_its_range(monkeypatch):
    with socket.create_server(("127.0.0.1", find_free_ports(1))) as listener:
        first = listener.getsockname()[1]
        monkeypatch.setattr(ports, "_FIRST", first)
        monkeypatch.setattr(ports, "_LAST", first + 11)
        with pytest.raises(OSError, match=f"no 10 free ports in a row between {first} and {first + 11}"):
            find_free_ports(10)
