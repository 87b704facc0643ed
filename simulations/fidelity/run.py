"""Print how true the simulator is; exit with 1 when a check does not hold."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

CHECKS = ("queueing", "flow", "loop", "reality", "replay", "every_trace")


def main() -> int:
    """Run the checks named on the command line, or all of them, one after another; return an exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"any of {', '.join(CHECKS)}; all when left out")
    names = parser.parse_args().checks or list(CHECKS)
    if unknown := [name for name in names if name not in CHECKS]:
        parser.error(f"{unknown[0]} is none of {', '.join(CHECKS)}")
    held = sum(_holds(name) for name in names)
    print(f"{held} of {len(names)} checks hold", flush=True)
    return 0 if held == len(names) else 1


def _holds(name: str) -> bool:
    began = time.monotonic()
    result = importlib.import_module(f"fidelity.{name}").check()
    print(f"{name}: {result.name}: {'holds' if result.holds else 'DOES NOT HOLD'} ({time.monotonic() - began:.0f} s)")
    for line in result.lines:
        print(f"  {line}")
    print(flush=True)
    return bool(result.holds)


if __name__ == "__main__":
    sys.exit(main())
