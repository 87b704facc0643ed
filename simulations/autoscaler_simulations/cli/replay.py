"""Decide again on what a record observed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click

from autoscaler import __version__
from autoscaler.cli.failures import CommandError
from autoscaler.record import RecordError
from autoscaler_simulations.cli.record_lines import STANDARD_INPUT, record_lines
from autoscaler_simulations.replay.again import Replay
from autoscaler_simulations.replay.configuration import load_file, load_recorded
from autoscaler_simulations.replay.difference import Comparison
from autoscaler_simulations.replay.lines import difference_line, summary_line
from autoscaler_simulations.replay.spans import Spans
from autoscaler_simulations.replay.tally import Tally

_OBSERVED = "Observations are the recorded ones: what the formation would have become is for simulate to tell. Times are UTC."


@click.command
@click.argument("record", metavar="RECORD")
@click.option("-c", "--config", metavar="FILE", help="Decide by this configuration. [default: the record's own]")
@click.option("--json", "as_json", is_flag=True, help="Write every difference and a summary as lines of JSON.")
def replay(record: str, config: str | None, *, as_json: bool) -> None:
    """Decide again on what RECORD observed, a file of `run --record` or - for standard input.

    By the record's own configuration every decision comes out as recorded, to the byte; one that does not is named, and the exit
    code is 1. By another configuration, -c FILE, each tick that it decides otherwise is named with the first policy or rule that
    differs. Observations, and the changes asked for, stay the recorded ones: what the formation would have become is for simulate
    to tell. No source is read and no formation touched.
    """
    name = "standard input" if record == STANDARD_INPUT else record
    other = load_file(Path(config), os.environ) if config is not None else None
    replaying = Replay(partial(load_recorded, name=name, environment=os.environ), other)
    result = _Result(is_exact=other is None)
    with record_lines(record) as lines:
        for comparison in result.differing(replaying.run(lines)):
            if as_json:
                click.echo(difference_line(comparison))
    if not result.tally.decisions and not result.tally.left_out:
        raise RecordError(f"{name} holds no decision; name a file that `autoscaler run --record FILE` wrote")
    for note in replaying.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(summary_line(result.tally, replaying.notes) if as_json else result.said())
    if other is None and result.tally.differences:
        raise CommandError(_failure(result.tally, replaying.versions))


@dataclass(frozen=True, slots=True)
class _Result:
    """What came out so far, and by which measure two decisions differ: every byte, or the number and the action."""

    is_exact: bool
    tally: Tally = field(default_factory=Tally)
    spans: Spans = field(default_factory=Spans)

    def differing(self, comparisons: Iterable[Comparison]) -> Iterator[Comparison]:
        """Take in every comparison, and yield those that differ."""
        for comparison in comparisons:
            self.tally.take(comparison)
            if comparison.is_left_out:
                continue
            if comparison.is_same_line() if self.is_exact else comparison.is_same_outcome():
                self.spans.same(comparison)
            else:
                self.tally.differs(comparison)
                self.spans.differs(comparison)
                yield comparison

    def said(self) -> str:
        """Write the result for people."""
        tally, spans = self.tally, [span.said() for span in self.spans.all]
        if self.is_exact and not spans:
            return f"{tally.decisions} decisions, all as recorded"
        counts = f"{tally.decisions} decisions, {tally.differences} of them other than recorded"
        types = [
            f"{name}: {one.differences} of {one.decisions} decisions differ; the targets are"
            f" {one.recorded_process_seconds:,.0f} process-seconds in the record, {one.replayed_process_seconds:,.0f} now"
            for name, one in tally.types.items()
        ]
        left_out = [f"{name}: not in the configuration, {count} decisions left out" for name, count in tally.left_out.items()]
        return "\n".join([_OBSERVED, *spans, counts, *types, *left_out])


def _failure(tally: Tally, versions: set[str]) -> str:
    others = ", ".join(sorted(versions - {__version__}))
    cause = f"; the record is of version {others}, and this is {__version__}" if others else ""
    return f"{tally.differences} of {tally.decisions} decisions are not as recorded{cause}"
