"""List the processes of a process manager, and start and stop them, each by a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from autoscaler.act.backend import BackendError
from autoscaler.act.command.choosing import choose_leavers, choose_starters
from autoscaler.act.command.listing import Entry, Listing, TypeEntries
from autoscaler.act.command.names import Names
from autoscaler.act.command.places import fill_command, places_in
from autoscaler.act.command.told import Told
from autoscaler.act.remote.engine import DONE, Order, Sighting, Verdict
from autoscaler.parallel import side_by_side
from autoscaler.shell import CommandError, LateCommandError, LongOutputError, Shell

if TYPE_CHECKING:
    from autoscaler.act.command.plugin import Command

_LARGEST_OUTPUT = 1024 * 1024  # bytes


class CommandEngine:
    """A process manager that is asked and told by commands of its own."""

    def __init__(self, plugin: Command, there: Mapping[str, str]) -> None:
        """Run nothing yet; ``there`` says what each process type is called by the process manager."""
        self._plugin = plugin
        self._there = there
        self._names = Names(plugin.process, there)
        self._listing = Listing(pattern=plugin.compiled(), states=plugin.states, names=self._names, ready_after_seconds=plugin.ready_after_seconds)
        self._shell = Shell(timeout_seconds=plugin.timeout_seconds, largest_output=_LARGEST_OUTPUT)
        self._listed: dict[str, TypeEntries] = {}
        self._told = Told()
        self.calls = 0  # commands that were run so far

    def look(self) -> Mapping[str, Sighting | str]:
        """Return what the list says of every type; raise ``BackendError`` when there is no list."""
        text = self._list()
        if self._plugin.scale is not None:
            counts = self._listing.counts(text)
            return {name: counts.get(name) or self._missing(name) for name in self._there}
        self._listed = self._listing.entries(text)
        return {name: self._sighting(name) for name in self._there}

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Run the commands of each type, the types side by side."""
        change = self._set if self._plugin.scale is not None else self._move
        verdicts = side_by_side([partial(change, order) for order in orders])
        return {order.name: verdict for order, verdict in zip(orders, verdicts, strict=True)}

    def close(self) -> None:
        """Kill the commands that are under way; nothing else is kept."""
        self._shell.kill()

    # Looking

    def _list(self) -> str:
        try:
            finished = self._shell.run(self._plugin.list)
        except CommandError as error:
            raise BackendError(f"list: {error}") from error
        finally:
            self.calls += 1
        if finished.failure:
            self._told.forget()
            raise BackendError(f"list: {finished.failure}")
        return finished.output

    def _sighting(self, name: str) -> Sighting | str:
        found = self._listed.setdefault(name, TypeEntries())
        if not found.entries and not found.trouble and self._listing.is_complete:
            return self._missing(name)
        if found.trouble:
            self._told.forget()
            return found.trouble
        found.entries = self._told.adjust(name, found.entries)
        return found.sighting(name)

    def _missing(self, name: str) -> str:
        if self._plugin.scale is not None:
            return f"list shows no line of {self._there[name]}; correct names or pattern"
        return f"list shows no process such as {self._names.name_of(name, 1)}; create it, or correct process, names or pattern"

    # Telling

    def _set(self, order: Order) -> Verdict:
        values = {"type": self._there[order.name], "count": str(order.change.target), "previous": str(order.seen.counts.desired)}
        return self._run(fill_command(self._plugin.scale or "", values))

    def _move(self, order: Order) -> Verdict:
        entries = self._listed[order.name].entries
        missing = order.change.target - order.seen.counts.desired
        if missing < 0:
            leavers = choose_leavers(entries, -missing, order.change.loads, order.name)
            return self._tell(order.name, self._plugin.stop or "", leavers, is_start=False)
        starters = choose_starters(entries, missing, self._names, order.name, is_complete=self._listing.is_complete)
        verdict = self._tell(order.name, self._plugin.start or "", starters, is_start=True) if starters else DONE
        if len(starters) == missing or verdict != DONE:
            return verdict
        return self._too_many(order, entries, missing - len(starters))

    def _too_many(self, order: Order, entries: Sequence[Entry], lacking: int) -> Verdict:
        draining = sum(each.state == "draining" for each in entries)
        if draining >= lacking:
            return Verdict("waits", f"{draining} of its {len(entries)} processes still drain, and {lacking} of them start again when they have ended")
        sentence = f"{order.change.target} processes cannot run, the process manager has {len(entries)}; create more, or lower the maximum"
        return Verdict("refused", sentence)

    def _tell(self, name: str, template: str, entries: Sequence[Entry], *, is_start: bool) -> Verdict:
        verdict = self._run_for(name, template, entries)
        if verdict == DONE:
            self._told.tell(name, entries, is_start=is_start)
        return verdict

    def _run_for(self, name: str, template: str, entries: Sequence[Entry]) -> Verdict:
        """Start or stop processes: in one command where it takes them all, else in one each, side by side."""
        all_names = [each.name for each in entries]
        if "processes" in places_in(template):
            return self._run(fill_command(template, {"type": self._there[name], "processes": all_names}), is_one=len(entries) == 1)
        commands = [fill_command(template, {"type": self._there[name], "n": str(each.number), "process": each.name}) for each in entries]
        return _joined(side_by_side([partial(self._run, command) for command in commands]))

    def _run(self, command: str, *, is_one: bool = True) -> Verdict:
        try:
            finished = self._shell.run(command)
        except (LateCommandError, LongOutputError) as error:
            return Verdict("unclear", str(error))
        except CommandError as error:
            return Verdict("refused", str(error))
        finally:
            self.calls += 1
        if finished.failure:
            return Verdict("refused" if is_one else "unclear", finished.failure)
        return DONE


def _joined(verdicts: Sequence[Verdict]) -> Verdict:
    """Make one verdict of those of several processes."""
    wrong = next((each for each in verdicts if each != DONE), None)
    if wrong is None or len(set(verdicts)) == 1:
        return wrong or DONE
    return Verdict("unclear", f"{sum(each == DONE for each in verdicts)} of {len(verdicts)} commands succeeded: {wrong.sentence}")
