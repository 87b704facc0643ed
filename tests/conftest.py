"""Hold what every part of the suite shares: programs, ports, waiting, and how long Hypothesis searches."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_ROOT = Path(__file__).resolve().parent.parent
_SHARED = _ROOT.parent / "shared"

# Machines are noisy, so no example is judged by its time. `laws` is the long search: LAWS_EXAMPLES=10000 HYPOTHESIS_PROFILE=laws make test
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.register_profile("laws", settings.get_profile("here"), max_examples=int(os.environ.get("LAWS_EXAMPLES", "10000")))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "here"))


def _servers_are_required() -> bool:
    return os.environ.get("REQUIRE_SERVERS") == "1"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Fail a test marked ``server`` that skips itself where servers are required: nothing may be left out in silence."""
    report = yield
    is_server_only = item.get_closest_marker("server") and not (item.get_closest_marker("external") or item.get_closest_marker("shared"))
    if report.skipped and is_server_only and _servers_are_required() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{report.longrepr[2]} (REQUIRE_SERVERS=1)"
    return report


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], str]:
    """Find a server's program by name; skip the test when it is not installed, or fail it where servers are required."""

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        if path is None:
            (pytest.fail if _servers_are_required() else pytest.skip)(f"{name} is not installed; enable with: make test-servers")
        return path

    return find


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of vectors and traces beside the checkout; skip the test where there is none."""
    if not _SHARED.is_dir():
        pytest.skip("the folder shared is not beside this checkout")
    return _SHARED


@pytest.fixture(scope="session")
def free_ports() -> Callable[[int], list[int]]:
    """Find loopback TCP ports that nothing listens on, all different."""

    def find(count: int) -> list[int]:
        with ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
            for each in sockets:
                each.bind(("127.0.0.1", 0))
            return [each.getsockname()[1] for each in sockets]

    return find


@pytest.fixture
def free_port(free_ports: Callable[[int], list[int]]) -> int:
    """Find one loopback TCP port that nothing listens on."""
    return free_ports(1)[0]


@pytest.fixture(scope="session")
def eventually() -> Callable[..., object]:
    """Wait until a condition holds and return what it answered; fail with its last answer when the deadline has passed."""

    def wait(condition: Callable[[], object], seconds: float = 20.0, pause: float = 0.01) -> object:
        deadline = time.monotonic() + seconds
        while not (answer := condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"not true within {seconds:g} s; the last answer was {answer!r}")
            time.sleep(pause)
        return answer

    return wait
