"""Show the demo while it runs: as plain lines or as the lines of a decision record."""

from __future__ import annotations

from typing import Protocol

from autoscaler.demo.outlet import Outlet
from autoscaler.demo.summary import Summary
from autoscaler.demo.view import Row, Story, marks_for, rows_of
from autoscaler.events import Notice, Tick
from autoscaler.record.line import decision_line, notice_line, start_line, to_json

OPENING = (
    "A web app and its workers run here as real processes under a made-up load, and the autoscaler keeps their number right.\n"
    "The windows are a few seconds, so that you see scale-in within a minute; the default looks back 5 minutes.\n"
)
_EVERY_SECONDS = 5.0


class Display(Protocol):
    """Shows a demo from its beginning to its summary; a listener of the controller between the two."""

    def begin(self, story: Story) -> None:
        """Say what is about to be seen."""

    def ticked(self, tick: Tick) -> None:
        """Show one tick."""

    def noticed(self, notice: Notice) -> None:
        """Take in one notice."""

    def stop(self) -> None:
        """End what moves on the screen; called once, also after a failure."""

    def conclude(self, summary: Summary) -> None:
        """Show how it went."""


class RecordLines:
    """Writes what the record would hold, from its start on, and the summary as one more line."""

    def __init__(self, outlet: Outlet) -> None:
        """Write to ``outlet``."""
        self._outlet = outlet

    def begin(self, story: Story) -> None:
        """Write nothing: the lines begin with the start of the controller."""

    def ticked(self, tick: Tick) -> None:
        """Write one line for each process type."""
        for decision in tick.decisions:
            self._outlet.write(to_json(decision_line(decision)) + "\n")

    def noticed(self, notice: Notice) -> None:
        """Write one line."""
        line = start_line(notice) if notice.event == "start" else notice_line(notice)
        self._outlet.write(to_json(line) + "\n")

    def stop(self) -> None:
        """Leave the output as it is: nothing moves in it."""

    def conclude(self, summary: Summary) -> None:
        """Write the summary as one line."""
        self._outlet.write(to_json(summary.as_json()) + "\n")


class PlainLines:
    """Writes a line for each change of the formation, and for each process type every few seconds."""

    def __init__(self, outlet: Outlet) -> None:
        """Write to ``outlet``."""
        self._outlet = outlet
        self._marks = marks_for(outlet.encoding)
        self._story: Story | None = None
        self._due = 0.0

    def begin(self, story: Story) -> None:
        """Write what is about to be seen."""
        self._story = story
        self._outlet.write(f"{OPENING}{self._marks.running} running  {self._marks.starting} starting  {self._marks.draining} draining\n\n")

    def ticked(self, tick: Tick) -> None:
        """Write the types that change, or all of them when it is time."""
        if self._story is None:
            return
        is_due = tick.now >= self._due
        if is_due:
            self._due = tick.now + _EVERY_SECONDS
        when = f"{self._story.elapsed(tick.now):4.0f} s  {self._story.phase(tick.now):<11}"
        for row in rows_of(tick):
            if is_due or row.action in {"scale_out", "scale_in"}:
                self._outlet.write(f"{when}  {self._say(row)}\n")

    def _say(self, row: Row) -> str:
        change = f"{row.action.replace('_', ' ')} to {row.target}: " if row.action in {"scale_out", "scale_in"} else ""
        return f"{row.name:<7} {self._marks.bar(row.counts):<8}  {row.load:<42}  {change}{row.reason}"

    def noticed(self, notice: Notice) -> None:
        """Write nothing: decisions tell the story."""

    def stop(self) -> None:
        """Leave the output as it is: nothing moves in it."""

    def conclude(self, summary: Summary) -> None:
        """Write the charts and the figures."""
        self._outlet.write("\n".join(summary.as_lines(self._marks.running)) + "\n")
