"""Ask and tell Heroku: two calls see the whole formation, one changes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from pydantic import TypeAdapter

from autoscaler.act.heroku.budget import Budget
from autoscaler.act.heroku.dynos import sight
from autoscaler.act.heroku.wire import DYNOS, ENTRIES, ENTRY, Dyno, Entry
from autoscaler.act.heroku.words import concerns_one_type, judge, trouble
from autoscaler.act.remote.api import Api, Call, quoted
from autoscaler.act.remote.engine import DONE, Order, Sighting, Verdict
from autoscaler.act.remote.parsing import parsed
from autoscaler.clock import Clock
from autoscaler.http_client import Answer, HttpError, UnclearError
from autoscaler.model import Json
from autoscaler.parallel import side_by_side

T = TypeVar("T")
_SAVING_SECONDS = 60.0  # between two looks while the budget is short
_MOST_PAGES = 50
_SUCCESSES = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
_ACCEPTED = _SUCCESSES | {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}  # what Heroku takes a change with, where it does it later too


class HerokuEngine:
    """The app, and what its process types are called there."""

    def __init__(self, api: Api, app: str, there: Mapping[str, str], budget: Budget, clock: Clock) -> None:
        """Ask for the process types that are the keys of ``there``."""
        self._api, self._app, self._there, self._budget, self._clock = api, app, there, budget, clock
        self._path = f"/apps/{quoted(app)}"
        self._seen: tuple[float, Mapping[str, Sighting | str]] | None = None  # the last look and its time; None: it holds no more

    def look(self) -> Mapping[str, Sighting | str]:
        """Return what runs; while the budget is short, at most a minute old."""
        now = self._clock.now()
        if self._seen and self._budget.is_short and now - self._seen[0] < _SAVING_SECONDS:
            return self._seen[1]
        entries: list[Entry] = []
        dynos: list[Dyno] = []
        asks: list[Callable[[], None]] = [
            lambda: entries.extend(self._list("formation", ENTRIES, "a formation")),
            lambda: dynos.extend(self._list("dynos", DYNOS, "a list of dynos")),
        ]
        side_by_side(asks)
        quantities = {entry.type: entry.quantity for entry in entries}
        found = {name: self._sight(there, quantities, dynos) for name, there in self._there.items()}
        self._seen = now, _with_notes(found, self._budget.sentences())
        return self._seen[1]

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Change all in one call; where one process type of several is not accepted, each alone."""
        self._seen = None
        updates: list[Json] = [{"type": self._there[order.name], "quantity": order.change.target} for order in orders]
        try:
            answer = self._ask(Call(method="PATCH", path=f"{self._path}/formation", body={"updates": updates}))
        except UnclearError as error:
            return {order.name: Verdict("unclear", str(error)) for order in orders}
        if len(orders) > 1 and concerns_one_type(answer):
            return dict(zip((order.name for order in orders), side_by_side([partial(self._scale_one, order) for order in orders]), strict=True))
        return {order.name: self._verdict(order, answer, lambda: parsed(answer, ENTRIES, "a formation")) for order in orders}

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _scale_one(self, order: Order) -> Verdict:
        path = f"{self._path}/formation/{quoted(self._there[order.name])}"
        try:
            answer = self._ask(Call(method="PATCH", path=path, body={"quantity": order.change.target}))
        except UnclearError as error:
            return Verdict("unclear", str(error))
        except HttpError as error:
            return Verdict("refused", str(error))
        return self._verdict(order, answer, lambda: [parsed(answer, ENTRY, "an entry of a formation")])

    def _verdict(self, order: Order, answer: Answer, read: Callable[[], list[Entry]]) -> Verdict:
        """Hold what Heroku says is now told against what was asked."""
        if answer.status not in _ACCEPTED:
            return judge(answer, self._app)
        try:
            told = {entry.type: entry.quantity for entry in read()}
        except HttpError as error:
            return Verdict("unclear", str(error))
        there, target = self._there[order.name], order.change.target
        if there not in told:
            return Verdict("unclear", f"{answer.host} accepted the change and said nothing of {there}")
        return DONE if told[there] == target else Verdict("refused", f"{answer.host} set {there} to {told[there]} where {target} were asked for")

    def _list(self, what: str, adapter: TypeAdapter[list[T]], words: str) -> list[T]:
        """Return a whole list, which comes in pages."""
        found: list[T] = []
        headers: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = self._ask(Call(method="GET", path=f"{self._path}/{what}", headers=headers))
            if answer.status not in _SUCCESSES:
                raise HttpError(trouble(answer, self._app))
            page: list[T] = parsed(answer, adapter, words)
            found += page
            if answer.status == HTTPStatus.OK or "next-range" not in answer.headers:
                return found
            headers = {"Range": answer.headers["next-range"]}
        raise HttpError(f"{self._api.host} answered with more than {_MOST_PAGES} pages of {what} of app {self._app}")

    def _ask(self, call: Call) -> Answer:
        answer = self._api.ask(call)
        self._budget.note(answer)
        return answer

    def _sight(self, there: str, quantities: Mapping[str, int], dynos: list[Dyno]) -> Sighting | str:
        if there in quantities:
            return sight(there, quantities[there], dynos)
        known = ", ".join(sorted(quantities))
        has = f"it has {known}, as its Procfile was when it was deployed" if known else "nothing is deployed to it yet"
        return f"app {self._app} has no process type {there}; {has}"


def _with_notes(found: dict[str, Sighting | str], notes: tuple[str, ...]) -> Mapping[str, Sighting | str]:
    """Add what concerns all process types to one of them, so that it is told once."""
    for name, seen in found.items():
        if isinstance(seen, Sighting) and notes:
            return {**found, name: replace(seen, notes=(*seen.notes, *notes))}
    return found
