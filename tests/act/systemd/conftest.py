"""Real systemd machines as fixtures; nothing of them is left after the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.systemd_formation import SLEEPER, Units, units_of, use
from tests.systemd_hosts import Host, Pair, pair
from tests.systemd_machines import Machine, machines, switched_on, user_manager  # noqa: F401 - fixtures


@pytest.fixture
def system_host(machines: None) -> Iterator[Host]:  # noqa: ARG001, F811 - it skips
    """A host of this test alone, on the network of the tests."""
    host = Host()
    with switched_on(host):
        yield host


@pytest.fixture(scope="module")
def _pair(machines: None) -> Iterator[Pair]:  # noqa: ARG001, F811 - it skips
    with pair() as made:
        yield made


@pytest.fixture
def two_hosts(_pair: Pair) -> Iterator[tuple[Host, Host]]:
    """Two hosts with addresses of their own and sshd; they serve a module's tests, and each test finds them empty."""
    yield _pair.hosts
    for host in _pair.hosts:
        host.reset()


@pytest.fixture
def ssh_config(two_hosts: tuple[Host, Host], _pair: Pair) -> Path:  # noqa: ARG001 - its end comes before theirs
    """The ssh client's configuration with which app1 and app2 are reached: ``ssh -F``."""
    return _pair.ssh_config


@pytest.fixture
def units(user_manager: Machine, monkeypatch: pytest.MonkeyPatch, eventually: Callable[..., object]) -> Iterator[Units]:  # noqa: F811 - pytest finds it by name
    """A backend over a user's systemd that has a template ``app-web@.service``."""
    use(user_manager, monkeypatch)
    user_manager.write("app-web@.service", SLEEPER)
    with units_of(eventually, user=True) as made:
        yield made
