"""Ask one systemd for everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autoscaler.act.systemd import calls
from autoscaler.act.systemd.ledger import Ledger
from autoscaler.act.systemd.values import Inventory, Unit
from autoscaler.act.systemd.wire import Call, Reply, Wire

_SECONDS = 10.0  # systemd answers nothing while it reloads; this is long even for thousands of units
_TROUBLED = frozenset({"failed", "activating"})
_ALREADY_SUBSCRIBED = "org.freedesktop.systemd1.AlreadySubscribed"


class Survey:
    """One round of questions; the answers go into the ledger, which signals may change meanwhile."""

    def __init__(self, wire: Wire, ledger: Ledger, globs: tuple[str, ...], done: Callable[[Survey], None], before: Callable[[], None]) -> None:
        """Send the questions; ``before`` is called with each answer, and ``done`` once, when all are answered or one is not."""
        self.failure = Reply()  # what was answered instead of an inventory
        self._wire = wire
        self.ledger = ledger
        self._done = done
        self._before = before  # takes in the signals that are older than the answer
        self._boot = ""
        self._files: dict[str, str] = {}
        self._left = 0
        # A systemd that has re-executed itself may have forgotten its subscribers: asking again costs nothing.
        self._ask(calls.SUBSCRIBE, lambda _: None)
        self._ask(calls.BOOT, self._take_boot)
        self._ask(calls.list_units(globs), self._take_units)
        self._ask(calls.list_unit_files(globs), self._take_files)

    def inventory(self) -> Inventory:
        """Return what is known now."""
        return Inventory(self.ledger.units(), self._files, self._boot)

    def _ask(self, call: Call, take: Callable[[tuple[Any, ...]], None]) -> None:
        self._left += 1
        self._wire.call(call, lambda reply: self._answered(reply, take), _SECONDS)

    def _answered(self, reply: Reply, take: Callable[[tuple[Any, ...]], None]) -> None:
        self._left -= 1
        self._before()
        if not reply.error:
            take(reply.values)
        elif reply.error != _ALREADY_SUBSCRIBED:
            self.failure = reply
        if self._left == 0:
            self._done(self)

    def _take_boot(self, values: tuple[Any, ...]) -> None:
        self._boot = str(values[0][1])

    def _take_files(self, values: tuple[Any, ...]) -> None:
        self._files = {path.rpartition("/")[2]: state for path, state in values[0]}

    def _take_units(self, values: tuple[Any, ...]) -> None:
        self.ledger.list_units(values[0])
        for unit in self.ledger.units().values():
            if unit.active_state in _TROUBLED:
                self._ask_for_trouble(unit)

    def _ask_for_trouble(self, unit: Unit) -> None:
        for name in ("Result", "NRestarts"):
            self._ask(calls.get_property(unit.name, calls.SERVICE, name), lambda values, name=name: self.ledger.merge(unit.name, {name: values[0]}))  # type: ignore[misc]
