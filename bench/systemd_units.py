"""Measure the systemd backend against systemctl, on one real systemd and on two hosts over ssh."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from autoscaler.act.backend import Backend
from autoscaler.act.systemd import Systemd
from autoscaler.model import Change, Counts, ProcessType
from table import Table
from test_parts import test_part

hosts, machines = test_part("systemd_hosts"), test_part("systemd_machines")

TEMPLATE = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sleep 10000\nRestart=always\nRestartSec=100ms\n"
SOME, MANY = 50, 500
ROUNDS = 9
DEADLINE_SECONDS = 60.0
PAUSE_SECONDS = 0.001
WEB = (ProcessType(name="web", minimum=0, maximum=1000),)


def measure() -> Table:
    """Start units from the backend and by one systemctl call, in turn; it needs root."""
    title = f"systemd: {SOME} units by the backend and by one systemctl call, medians of {ROUNDS}"
    if reason := machines.missing():
        return Table(title, ("", "seconds", "ratio"), ((f"not measured: {reason}", "", ""),))
    rows = [*_measure_one(), *_measure_two()]
    return Table(title, ("", "seconds", "ratio"), tuple(rows))


def _measure_one() -> Iterator[tuple[str, str, str]]:
    machine = machines.UserManager()
    with machines.switched_on(machine), _environment(machine.environment):
        machine.write("app-web@.service", TEMPLATE)
        plugin = Systemd(user=True)
        alone = [_time_systemctl(machine, "start", SOME) + 0 * _time_systemctl(machine, "stop", SOME) for _ in range(ROUNDS)]
        with _connected(plugin) as backend:
            ours = [_time_scale(backend, SOME) + 0 * _time_scale(backend, 0) for _ in range(ROUNDS)]
            beside = [_time_systemctl(machine, "start", SOME) + 0 * _time_scale(backend, 0, SOME) for _ in range(ROUNDS)]
            crashes = [_time_crash(backend, machine) for _ in range(ROUNDS)]
            _time_scale(backend, MANY)
            observed = [_time(backend.observe) for _ in range(ROUNDS)]
        connects = [_time_connect(plugin) for _ in range(ROUNDS)]
        shown = [_time(lambda: machine.systemctl("show", "app-web@*", "--property=Id,ActiveState,SubState,Result,NRestarts")) for _ in range(3)]
    base = statistics.median(alone)
    yield f"systemctl start of {SOME} units, one call", f"{base:.3f}", "1.00"
    yield "the same while the backend follows the units", f"{statistics.median(beside):.3f}", f"{statistics.median(beside) / base:.2f}"
    yield f"1 host: 0 to {SOME} by the backend ({SOME} calls in one write)", f"{statistics.median(ours):.3f}", f"{statistics.median(ours) / base:.2f}"
    yield "crash (SIGKILL) to known", f"{statistics.median(crashes):.4f}", ""
    yield f"observe {MANY} units", f"{statistics.median(observed):.6f}", ""
    yield f"connect and list {MANY} units", f"{statistics.median(connects):.3f}", ""
    yield f"systemctl show of {MANY} units", f"{statistics.median(shown):.3f}", ""


def _measure_two() -> Iterator[tuple[str, str, str]]:
    with hosts.pair() as made:
        for host in made.hosts:
            host.write("app-web@.service", TEMPLATE)
        with _connected(Systemd(hosts=("app1", "app2"), ssh_config=str(made.ssh_config))) as backend:
            ours = [_time_scale(backend, SOME) + 0 * _time_scale(backend, 0) for _ in range(ROUNDS)]
        alone = [_time_both(made.hosts, made.ssh_config) for _ in range(3)]
    base = statistics.median(alone)
    yield f"ssh HOST systemctl start of {SOME // 2} units on each of 2 hosts, side by side", f"{base:.3f}", "1.00"
    yield f"2 hosts: 0 to {SOME} by the backend", f"{statistics.median(ours):.3f}", f"{statistics.median(ours) / base:.2f}"


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _connected(plugin: Systemd) -> Iterator[Backend]:
    backend = plugin.connect(WEB, None)
    try:
        yield backend
    finally:
        backend.close(Event())


def _time(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _time_connect(plugin: Systemd) -> float:
    began = time.perf_counter()
    with _connected(plugin):
        return time.perf_counter() - began


def _time_scale(backend: Backend, target: int, before: int | None = None) -> float:
    """Scale, once as many processes run as there were said to be before."""
    if before is not None:
        _wait(backend, lambda counts: counts == Counts(desired=before, running=before))
    began = time.perf_counter()
    backend.scale((Change("web", 0, target, "measured"),))
    _wait(backend, lambda counts: counts == Counts(desired=target, running=target))
    return time.perf_counter() - began


def _time_crash(backend: Backend, machine: machines.Machine) -> float:
    _time_scale(backend, 1)
    os.kill(machine.main_pid("app-web@1.service"), signal.SIGKILL)
    began = time.perf_counter()
    _wait(backend, lambda counts: counts.running == 0)
    seconds = time.perf_counter() - began
    _wait(backend, lambda counts: counts.running == 1)
    return seconds


def _time_systemctl(machine: machines.Machine, verb: str, count: int) -> float:
    return _time(lambda: machine.systemctl(verb, *(f"app-web@{number}.service" for number in range(1, count + 1))))


def _time_both(both: tuple[hosts.Host, hosts.Host], ssh_config: Path) -> float:
    units = " ".join(f"app-web@{number}" for number in range(1, SOME // 2 + 1))
    command = ["ssh", "-F", str(ssh_config)]

    def start() -> None:
        for process in [subprocess.Popen([*command, host.name, f"systemctl start {units}"]) for host in both]:
            process.wait()

    seconds = _time(start)
    for host in both:
        host.systemctl("stop", "app-web@*")
    return seconds


def _wait(backend: Backend, holds: Callable[[Counts], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds(counts := backend.observe().types["web"].counts):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the units are not as they should be: {counts}")
        time.sleep(PAUSE_SECONDS)
