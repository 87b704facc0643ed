"""Check that a real record is decided again to the byte."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial

from autoscaler.model import AutoscalerError
from autoscaler_simulations.replay.again import Replay
from autoscaler_simulations.replay.configuration import load_recorded
from fidelity.result import Result

_SECONDS = 20  # the shortest demo that scales out and in
_PATIENCE_SECONDS = 120.0
_NAME = "replay of a real record"


def check() -> Result:
    """Record a real formation under a real load, and decide again on what was observed."""
    command = [sys.executable, "-m", "autoscaler", "demo", "--json", "--seconds", str(_SECONDS)]
    demo = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    if demo.returncode != 0:
        return Result(_NAME, holds=False, lines=(f"the demo ended with {demo.returncode}: {demo.stderr.strip()}",))
    return judge(demo.stdout.splitlines(keepends=True))


def judge(lines: Sequence[str]) -> Result:
    """Decide again on the lines of a record; it holds when there are decisions that scale, and all are the same to the byte."""
    try:
        comparisons = list(Replay(partial(load_recorded, name="demo", environment={}), None).run(lines))
    except AutoscalerError as error:
        return Result(_NAME, holds=False, lines=(str(error),))
    actions = Counter(comparison.recorded.action for comparison in comparisons)
    same = sum(comparison.is_same_line() for comparison in comparisons)
    scaled = f"{actions['scale_out']} scale out and {actions['scale_in']} scale in"
    holds = 0 < same == len(comparisons) and actions["scale_out"] > 0
    return Result(_NAME, holds=holds, lines=(f"{same} of {len(comparisons)} decisions are the same to the byte; {scaled}",))
