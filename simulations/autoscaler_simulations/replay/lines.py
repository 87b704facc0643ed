"""Write the result of a replay as lines of JSON."""

from __future__ import annotations

from autoscaler.model import Json
from autoscaler.record import to_json
from autoscaler_simulations.replay.difference import Comparison, causes_of
from autoscaler_simulations.replay.tally import Tally


def difference_line(comparison: Comparison) -> str:
    """Return one difference as a JSON object; ``replayed`` has only a reason where nothing could be decided."""
    recorded, replayed, causes = comparison.recorded, comparison.replayed, causes_of(comparison)
    before: dict[str, Json] = {"target": recorded.target, "action": recorded.action, "reason": recorded.reason, "cause": causes.recorded}
    again: dict[str, Json] = {"reason": comparison.trouble, "cause": causes.replayed}
    if replayed is not None:
        again = {"target": replayed.target, "action": replayed.action, "reason": replayed.reason, "cause": causes.replayed}
    head: dict[str, Json] = {"event": "difference", "at": recorded.at, "now": recorded.now, "process_type": recorded.process_type}
    return to_json({**head, "recorded": before, "replayed": again})


def summary_line(tally: Tally, notes: list[str]) -> str:
    """Return the counts of a replay as one JSON object."""
    types: dict[str, Json] = {
        name: {
            "decisions": one.decisions,
            "differences": one.differences,
            "recorded_process_seconds": round(one.recorded_process_seconds, 3),
            "replayed_process_seconds": round(one.replayed_process_seconds, 3),
        }
        for name, one in tally.types.items()
    }
    counts: dict[str, Json] = {"event": "summary", "decisions": tally.decisions, "differences": tally.differences}
    return to_json({**counts, "process_types": types, "left_out": dict(tally.left_out), "notes": list(notes)})
