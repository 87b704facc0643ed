"""Print the figures of this machine: a decision, a tick, an idle controller, the start of the command, reaction, simulation."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from pathlib import Path

import command_start
import decision
import engines
import idle_controller
import one_tick
import queueing
import reaction
import simulated_year
import swarm_reaction
import systemd_units
from table import Table

MEASUREMENTS: dict[str, Callable[[], Table]] = {
    "decision": decision.measure,
    "profile": decision.measure_profile,
    "memory": decision.measure_memory,
    "tick": one_tick.measure,
    "help": command_start.measure,
    "idle": idle_controller.measure,
    "reaction": reaction.measure,
    "queueing": queueing.measure,
    "year": simulated_year.measure,
    "systemd": systemd_units.measure,
    "engines": engines.measure,
    "swarm": swarm_reaction.measure,
}


def main() -> None:
    """Run the measurements named on the command line, or all of them, one after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measurements", nargs="*", metavar="MEASUREMENT", help=f"any of {', '.join(MEASUREMENTS)}; all when left out")
    names = parser.parse_args().measurements or list(MEASUREMENTS)
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        parser.error(f"{unknown[0]} is none of {', '.join(MEASUREMENTS)}")
    load = Path("/proc/loadavg").read_text().split()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {load} at the start", flush=True)
    for name in names:
        print(f"\n{MEASUREMENTS[name]()}", flush=True)


if __name__ == "__main__":
    main()
