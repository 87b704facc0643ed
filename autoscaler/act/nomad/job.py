"""Ask and tell Nomad of one job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from autoscaler import __version__
from autoscaler.act.nomad.sighting import Observer, Picture
from autoscaler.act.nomad.watch import Watch
from autoscaler.act.nomad.wire import ALLOCATIONS, STATUS, WRITTEN, Allocation, ScaleStatus, index_of
from autoscaler.act.nomad.words import Where, conflict_of, judge, trouble
from autoscaler.act.remote.api import Api, Call, quoted
from autoscaler.act.remote.engine import DONE, Order, Sighting, Verdict
from autoscaler.act.remote.parsing import parsed
from autoscaler.clock import Clock
from autoscaler.http_client import Answer, HttpError, UnclearError
from autoscaler.model import AutoscalerError

_RIGHTS_SECONDS = 300.0  # until it is tried again whether the token may see allocations
_ATTEMPTS = 3  # to send a change with the right index; only one of them can be done
_LONGEST_MESSAGE = 500  # characters of a reason that Nomad keeps with the job


class NomadJob:
    """A job with all process types that are task groups of it; called by one thread at a time."""

    def __init__(self, api: Api, where: Where, scope: Mapping[str, str], clock: Clock, *, is_watched: bool) -> None:
        """Ask for the job within ``scope``, which is the query of every call: its namespace and region."""
        self._api, self._where, self._scope, self._clock = api, where, scope, clock
        self._path = f"/v1/job/{quoted(where.job)}"
        self._watch = Watch(api, self._call("scale")) if is_watched else None
        self._observer = Observer(where.job, clock)
        self._blind_until = 0.0  # the token may not see allocations
        self._index = 0  # of the job's specification, as Nomad said last; 0: not known
        self._written = 0  # index of the last change of our own

    def look(self, groups: Mapping[str, str]) -> Mapping[str, Sighting | str]:
        """Return what runs of the process types that are the keys of ``groups``."""
        try:
            picture = self._picture()
        except AutoscalerError as error:
            return dict.fromkeys(groups, str(error))
        self._observer.take(picture)
        return {name: self._observer.sight(name, group, picture) for name, group in groups.items()}

    def scale(self, orders: Sequence[Order], groups: Mapping[str, str]) -> Mapping[str, Verdict]:
        """Give the orders one after the other, since each changes the index that the next is held against; after a failure no more."""
        verdicts: dict[str, Verdict] = {}
        failure = ""
        for order in orders:
            try:
                verdicts[order.name] = Verdict("refused", f"nothing was sent: {failure}") if failure else self._scale(order, groups[order.name])
            except AutoscalerError as error:
                failure = str(error)
                verdicts[order.name] = Verdict("unclear" if isinstance(error, UnclearError) else "refused", failure)
        return verdicts

    def close(self) -> None:
        """Follow the job no more."""
        if self._watch:
            self._watch.close()

    # Looking

    def _picture(self) -> Picture:
        allocations = self._allocations()
        if allocations is None:  # then the figures of what runs must be fresh, which those that are followed may not be
            status = self._status(is_followed=False)
            if self._clock.now() >= self._blind_until:
                self._blind_until = self._clock.now() + _RIGHTS_SECONDS
            return Picture(status, None)
        followed = self._watch.newest(self._written) if self._watch else None
        return Picture(followed or self._status(is_followed=True), allocations)

    def _status(self, *, is_followed: bool) -> ScaleStatus:
        answer = self._api.ask(self._call("scale"))
        if answer.status != HTTPStatus.OK:
            raise HttpError(trouble(answer, self._where, "read-job-scaling"))
        status = parsed(answer, STATUS, "a scale status")
        if is_followed and self._watch:
            self._watch.follow(index_of(answer), status)
        return status

    def _allocations(self) -> tuple[Allocation, ...] | None:
        if self._clock.now() < self._blind_until:
            return None
        answer = self._api.ask(self._call("allocations"))
        if answer.status == HTTPStatus.FORBIDDEN:
            return None
        if answer.status != HTTPStatus.OK:
            raise HttpError(trouble(answer, self._where, "read-job"))
        found: list[Allocation] = parsed(answer, ALLOCATIONS, "a list of allocations")
        return tuple(found)

    # Changing

    def _scale(self, order: Order, group: str) -> Verdict:
        """Send a change that is done only if nobody has changed the job since it was seen.

        Nomad shows another index than the one it holds a change against, which moves with the job's status as well; a refusal names the
        right one. If that is no higher than what was seen, nothing has changed since, and the change is sent with it.
        """
        seen = max(int(order.seen.version or 0), self._written)
        index = self._index or seen
        for _ in range(_ATTEMPTS):
            answer = self._send(order, group, index)
            actual = conflict_of(answer)
            if actual is None:
                return self._verdict(order, answer)
            if actual > seen:
                again = self._status(is_followed=False)
                desired = again.task_groups[group].desired if group in again.task_groups else None
                if desired != order.seen.counts.desired:
                    return Verdict("refused", _overtaken(order, desired))
                seen = again.job_modify_index
            self._index = index = actual
        return Verdict("refused", f"{self._where} was changed again and again meanwhile; decided again at the next tick")

    def _send(self, order: Order, group: str, index: int) -> Answer:
        change = order.change
        return self._api.ask(
            Call(
                method="POST",
                path=f"{self._path}/scale",
                query=self._scope,
                body={
                    "Count": change.target,
                    "Target": {"Job": self._where.job, "Group": group},
                    "Message": (change.reason or "told by formation-autoscaler")[:_LONGEST_MESSAGE],
                    "Meta": {
                        "formation-autoscaler": __version__,
                        "process_type": order.name,
                        "from": order.seen.counts.desired,
                        "to": change.target,
                    },
                    "JobModifyIndex": index,
                },
            )
        )

    def _verdict(self, order: Order, answer: Answer) -> Verdict:
        if answer.status != HTTPStatus.OK:
            return judge(answer, self._where, order)
        try:
            written = parsed(answer, WRITTEN, "what a change answers").job_modify_index
        except HttpError as error:
            return Verdict("unclear", str(error))
        self._index = self._written = written
        return DONE

    def _call(self, what: str) -> Call:
        return Call(method="GET", path=f"{self._path}/{what}", query=self._scope)


def _overtaken(order: Order, desired: int | None) -> str:
    now = "removed its task group" if desired is None else f"set it from {order.seen.counts.desired} to {desired}"
    return f"somebody else {now} meanwhile; decided again at the next tick"
