"""Ask an HTTP API for numbers of processes, and send it new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from autoscaler.act.backend import BackendError
from autoscaler.act.http.answers import explain, judge
from autoscaler.act.http.credentials import Credentials
from autoscaler.act.http.reading import Page, add_processes, page_of, read_counts, read_processes
from autoscaler.act.http.template import fill, fill_header, fill_path, json_of
from autoscaler.act.remote.api import Api, Call
from autoscaler.act.remote.engine import DONE, Order, Sighting, Verdict
from autoscaler.http_client import Answer, HttpError, UnclearError
from autoscaler.model import AutoscalerError, Json
from autoscaler.parallel import side_by_side

if TYPE_CHECKING:
    from autoscaler.act.http.plugin import Http

_AGAIN = Verdict("refused", "somebody else changes it at the same time, twice in a row; decided again at the next tick")
_FIRST_FAILURE = 300
_NO_ACCESS = 401


class HttpEngine:
    """An API that is asked by GET and told by the request of its template."""

    def __init__(self, plugin: Http, there: Mapping[str, str]) -> None:
        """Ask nothing yet; ``there`` says what each process type is called in the API."""
        self._plugin = plugin
        self._there = there
        self._credentials = Credentials(plugin)
        self._api = Api(plugin.server(), self._credentials.headers)
        self._body = json_of(plugin.write.body, "write.body")
        self._each = json_of(plugin.write.each, "write.each")

    @property
    def calls(self) -> int:
        """Return how many calls were sent so far."""
        return self._api.calls

    def look(self) -> Mapping[str, Sighting | str]:
        """Return what runs of every type, or why that is not known; each page is asked for once, all side by side."""
        return self._look_at(tuple(self._there))

    def scale(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Send the new numbers: in one request where the template has ``each``, else in one a type, side by side."""
        if self._plugin.write.each is not None:
            return self._set(orders)
        answers = side_by_side([partial(self._set, (order,)) for order in orders])
        return {name: verdict for answer in answers for name, verdict in answer.items()}

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._credentials.close()

    def _ask(self, call: Call) -> Answer:
        answer = self._api.ask(call)
        if answer.status == _NO_ACCESS:
            self._credentials.forget()
        return answer

    # Looking

    def _look_at(self, names: Sequence[str]) -> dict[str, Sighting | str]:
        pages = self._pages({path for name in names for path in self._paths_of(name)})
        seen = {name: self._sighting(name, pages) for name in names}
        causes = set(seen.values()) if all(isinstance(each, str) for each in seen.values()) else set()
        if len(causes) == 1 and len(seen) > 1:
            raise BackendError(str(causes.pop()))
        return seen

    def _paths_of(self, name: str) -> list[str]:
        templates = [self._plugin.read.path, *([self._plugin.processes.path] if self._plugin.processes else [])]
        return [fill_path(template, {"type": self._there[name]}) for template in templates]

    def _pages(self, paths: set[str]) -> dict[str, Page | str]:
        ordered = sorted(paths)
        return dict(zip(ordered, side_by_side([partial(self._page, path) for path in ordered]), strict=True))

    def _page(self, path: str) -> Page | str:
        try:
            answer = self._ask(Call(method="GET", path=path))
            if answer.status < _FIRST_FAILURE:
                return page_of(answer)
        except AutoscalerError as error:
            return str(error)
        return self._explained(answer, f"read {path.partition('?')[0]}")

    def _sighting(self, name: str, pages: Mapping[str, Page | str]) -> Sighting | str:
        there, (path, *more) = self._there[name], self._paths_of(name)
        page = pages[path]
        if isinstance(page, str):
            return page
        try:
            seen = read_counts(self._plugin.read, page, there)
            return self._with_processes(seen, name, pages[more[0]]) if more else seen
        except HttpError as error:
            return str(error)

    def _with_processes(self, seen: Sighting, name: str, page: Page | str) -> Sighting | str:
        if isinstance(page, str) or self._plugin.processes is None:
            return str(page)
        listed, notes = read_processes(self._plugin.processes, page, name, self._there[name])
        return replace(add_processes(seen, listed), notes=notes)

    # Telling

    def _set(self, orders: tuple[Order, ...]) -> dict[str, Verdict]:
        verdict = self._send(orders)
        return dict.fromkeys([order.name for order in orders], verdict) if verdict else self._set_again(orders)

    def _set_again(self, orders: tuple[Order, ...]) -> dict[str, Verdict]:
        """Look again after a conflict, once, and send what nobody else has decided meanwhile."""
        try:
            seen = self._look_at([order.name for order in orders])
        except BackendError as error:
            seen = dict.fromkeys([order.name for order in orders], str(error))
        verdicts = {order.name: verdict for order in orders if (verdict := _settled(order, seen[order.name]))}
        left = tuple(replace(order, seen=now) for order in orders if order.name not in verdicts and isinstance(now := seen[order.name], Sighting))
        if left:
            verdicts |= dict.fromkeys([order.name for order in left], self._send(left) or _AGAIN)
        return verdicts

    def _send(self, orders: tuple[Order, ...]) -> Verdict | None:
        """Send one request for these orders; return None for a conflict."""
        try:
            answer = self._ask(self._call(orders))
        except UnclearError as error:
            return Verdict("unclear", str(error))
        except AutoscalerError as error:
            return Verdict("refused", str(error))
        wish = " and ".join(f"set {self._there[order.name]} to {order.change.target}" for order in orders)
        return judge(answer, self._plugin, partial(self._explained, answer, wish))

    def _call(self, orders: tuple[Order, ...]) -> Call:
        write, values = self._plugin.write, self._values(orders)
        return Call(
            method=write.method,
            path=fill_path(write.path, values),
            headers={name: fill_header(text, values) for name, text in write.headers.items()},
            body=fill(self._body, values),
        )

    def _values(self, orders: tuple[Order, ...]) -> dict[str, Json]:
        if self._plugin.write.each is None:
            return self._values_of(orders[0])
        return {"each": [fill(self._each, self._values_of(order)) for order in orders]}

    def _values_of(self, order: Order) -> dict[str, Json]:
        change, seen = order.change, order.seen
        return {
            "type": self._there[order.name],
            "count": change.target,
            "previous": seen.counts.desired,
            "reason": change.reason,
            "version": seen.version,
        }

    def _explained(self, answer: Answer, wish: str) -> str:
        return self._credentials.hide(explain(answer, wish, self._plugin.error, self._credentials.key))


def _settled(order: Order, now: Sighting | str) -> Verdict | None:
    """Return what became of an order that met a conflict, or None when it is to be sent again."""
    if isinstance(now, str):
        return Verdict("refused", f"somebody else changed it, and what to is not known: {now}")
    before, found, target = order.seen.counts.desired, now.counts.desired, order.change.target
    if found == target:
        return DONE
    if found != before:
        return Verdict("refused", f"somebody else set it from {before} to {found} meanwhile; decided again at the next tick")
    return None
