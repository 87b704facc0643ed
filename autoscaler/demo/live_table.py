"""Show the demo in a terminal as a table that moves."""

from __future__ import annotations

from typing import IO, cast

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from autoscaler.demo.display import OPENING
from autoscaler.demo.outlet import Outlet
from autoscaler.demo.summary import Summary
from autoscaler.demo.view import Marks, Row, Story, marks_for, rows_of
from autoscaler.events import Notice, Tick
from autoscaler.model import Counts


class LiveTable:
    """One row for each process type, drawn anew on every tick."""

    def __init__(self, outlet: Outlet) -> None:
        """Draw on ``outlet``, a terminal."""
        self._console = Console(file=cast("IO[str]", outlet), highlight=False)  # it has what rich asks of a file
        self._marks = marks_for(outlet.encoding)
        self._live = Live(console=self._console, auto_refresh=False)
        self._story: Story | None = None

    def begin(self, story: Story) -> None:
        """Say what is about to be seen, and draw from now on."""
        self._story = story
        self._console.print(OPENING)
        self._live.start()

    def ticked(self, tick: Tick) -> None:
        """Draw the table of one tick."""
        if self._story is not None:
            self._live.update(draw(rows_of(tick), self._story, tick.now, self._marks), refresh=True)

    def noticed(self, notice: Notice) -> None:
        """Show nothing: decisions tell the story."""

    def stop(self) -> None:
        """Leave the last table on the screen."""
        self._live.stop()

    def conclude(self, summary: Summary) -> None:
        """Print the charts and the figures."""
        for line in summary.as_lines(self._marks.running):
            self._console.print(Text(line))


def draw(rows: tuple[Row, ...], story: Story, now: float, marks: Marks) -> Group:
    """Return the header with the time left and the phase, the table, and what its marks mean."""
    header = Text.assemble((f"{story.seconds_left(now):.0f} s left", "bold"), "   load: ", (story.phase(now), "bold cyan"))
    legend = Text(f"{marks.running} running  {marks.starting} starting  {marks.draining} draining", style="dim")
    return Group(header, _table(rows, marks), legend)


def _table(rows: tuple[Row, ...], marks: Marks) -> Table:
    table = Table(expand=True)
    table.add_column("process type", no_wrap=True)
    table.add_column("processes", no_wrap=True, min_width=10)
    table.add_column("load", ratio=2)
    table.add_column("target", justify="right")
    table.add_column("reason", ratio=4)
    for row in rows:
        table.add_row(row.name, _bar(row.counts, marks), Text(row.load), str(row.target), Text(row.reason))
    return table


def _bar(counts: Counts, marks: Marks) -> Text:
    return Text.assemble(
        (marks.running * counts.running, "green"), (marks.starting * counts.starting, "yellow"), (marks.draining * counts.draining, "magenta")
    )
