"""Measure how fast long loads are simulated as flows, with the whole decision pipeline, and whether memory grows with their length."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from table import Table

ROOT = Path(__file__).resolve().parent.parent
DAYS = (30, 365)
GOAL = 10_000  # ticks a second, so that a year at one decision a minute takes less than one
_SCENARIO = """\
about: A web by day, decided once a minute.
length: {days}d
fidelity: flow
configuration:
  interval: 1m
  backend: {{dry_run: {{}}}}
  metrics: {{rate: {{prometheus: {{url: 'http://127.0.0.1:9090', query: 'sum(rate(http_requests_total[1m]))'}}, every: 1m, window: 1m}}}}
  formation:
    web: {{slots: 4, minimum: 2, maximum: 40, startup: 10s, policies: [{{target: {{metric: rate, per_process: 14}}}}]}}
metrics: {{rate: {{arrival_rate: web, window: 1m}}}}
processes:
  web: {{load: [{{diurnal: {{trough: 40, peak: 400}}}}], service: {{lognormal: {{mean: 200ms, scv: 1}}}}, objective: {{wait: 500ms}}}}
"""


def measure() -> Table:
    """Simulate a month and a year, each in a process of its own."""
    rows = [_row(days) for days in DAYS]
    return Table(
        f"Flows with the whole pipeline, a decision a minute (goal {GOAL:,} ticks a second)",
        ("days", "took", "ticks a second", "memory"),
        tuple(rows),
    )


def _row(days: int) -> tuple[str, ...]:
    done = subprocess.run([sys.executable, __file__, str(days)], capture_output=True, text=True, check=True, cwd=ROOT)
    told = json.loads(done.stdout)
    return (str(days), f"{told['seconds']:.1f} s", f"{told['ticks'] / told['seconds']:,.0f}", f"{told['kilobytes'] / 1024:.0f} MB")


def _simulate(days: int) -> None:
    import tempfile  # noqa: PLC0415 - only in the process that is measured

    from autoscaler_simulations.engine.result import run  # noqa: PLC0415 - as above
    from autoscaler_simulations.scenario.preparing import Changes, prepare  # noqa: PLC0415 - as above
    from autoscaler_simulations.scenario.reading import read_scenario  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "year.yaml"
        path.write_text(_SCENARIO.format(days=days))
        experiment = prepare(read_scenario(path, {}), Changes())
    began = time.perf_counter()
    result = run(experiment, 1)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "ticks": result.ticks, "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


if __name__ == "__main__":
    _simulate(int(sys.argv[1]))
