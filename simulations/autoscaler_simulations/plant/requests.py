"""Serve every single request, first come first served, by slots that come and go."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple, Protocol

import numpy as np

from autoscaler.model import AutoscalerError
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.load.arrivals import Block
from autoscaler_simulations.plant.begun import Begun
from autoscaler_simulations.plant.inflow import Inflow
from autoscaler_simulations.plant.ledger import Ledger
from autoscaler_simulations.plant.queue import Tally
from autoscaler_simulations.plant.slots import Slot, Slots

_BATCH = 8192  # requests handed over together


class PlantError(AutoscalerError):
    """The plant is asked for something that no plant can do."""


class Outcomes(Protocol):
    """What is told how requests fare."""

    def add(self, arrivals: Floats, waits: Floats, services: Floats) -> None:
        """Note requests that started; they are taken to finish."""

    def retract(self, arrival: float, wait: float, service: float) -> None:
        """Take back one that was noted: its process was killed."""

    def refuse(self, at: float) -> None:
        """Note one that was dropped or lost."""

    def leave_waiting(self, arrivals: Floats, now: float) -> None:
        """Note those that still wait at the end."""


class _Waiting(NamedTuple):
    arrival: float
    since: float  # when it entered the queue, for the last time
    service: float


class RequestQueue:
    """The exact path of a G/G/c queue whose slots come and go: the contract is ``plant.queue.Queue``.

    Everything that falls on the very moment to which time is advanced has happened: an arrival has come, a job has ended, the next
    one has started. So nothing waits while an open slot is idle. Of idle slots the one that is idle longest works first.

    With ``limit``, an arrival that finds no idle slot and so many waiting is dropped. Requests that come back from a killed process
    are taken all the same; they wait at the head, in the order in which they first arrived, and keep their own service time.
    """

    def __init__(self, blocks: Iterator[Block], outcomes: Outcomes, *, limit: int | None = None) -> None:
        """Begin at second 0 without slots; blocks are pulled when time reaches them."""
        self._ledger = Ledger()
        self._inflow = Inflow(_told(blocks, self._ledger))
        self._outcomes, self._limit = outcomes, limit
        self._slots = Slots()
        self._line = deque[_Waiting]()  # who waits outside of the inflow: those who came back, with a limit everyone
        self._begun = Begun()
        self._refused: list[float] = []  # arrivals that the ledger has not been told
        self._now = 0.0
        self._dropped = self._lost = self._returned = 0
        self._open_slot_seconds = self._undone_seconds = 0.0  # undone: of the services that were cut short
        self._seconds_to_return = 0.0  # from arrivals to returns: a wait for the user, none in the queue

    def advance(self, until: float) -> None:
        """Let arrivals come and work go on up to ``until``; raise ``PlantError`` for a time that has passed."""
        if until < self._now:
            raise PlantError(f"time cannot go back from {self._now:g} s to {until:g} s; advance to a later time")
        self._open_slot_seconds += len(self._slots) * (until - self._now)
        self._now = until
        self._settle()

    def open(self, process: int, slots: int) -> None:
        """Give a process that became ready its slots; waiting requests start at once."""
        self._slots.open(process, slots, self._now)
        self._settle()

    def drain(self, process: int) -> float:
        """Let a process take no more work; return when its last job will end, which is now when it has none."""
        return self._slots.drain(process, self._now)

    def close(self, process: int, *, returns: bool) -> int:
        """Kill a process; its jobs in hand go back to the head of the queue, or are lost. Return how many there were."""
        killed = self._slots.close(process, self._now)
        if killed:
            self._cut_short(killed)
            self._give_back(killed) if returns else self._lose(killed)
        return len(killed)

    def tally(self) -> Tally:
        """Return the counts up to the present time."""
        left, begun = self._slots.left(self._now), self._begun
        return Tally(
            at=self._now,
            arrived=self._inflow.arrived,
            started=begun.number,
            completed=begun.number - len(left) - self._returned - self._lost,
            dropped=self._dropped,
            lost=self._lost,
            returned=self._returned,
            waiting=len(self._line) + self._inflow.waiting,
            busy=len(left),
            open_slots=len(self._slots),
            waiting_seconds=begun.waited_seconds - self._seconds_to_return + self._ages(),
            busy_seconds=begun.service_seconds - self._undone_seconds - sum(left),
            open_slot_seconds=self._open_slot_seconds,
            waited_seconds=begun.waited_seconds,
            oldest_wait=self._oldest_wait(),
        )

    def waiting_arrivals(self) -> Floats:
        """Return when the requests arrived that wait now, in seconds, ascending."""
        return np.concatenate([np.array([each.arrival for each in self._line]), *self._inflow.waiting_arrivals()])

    def flush(self) -> None:
        """Tell the outcomes of all requests that started up to now; they are told by the thousand otherwise."""
        arrivals, starts, services = self._begun.take()
        self._ledger.settle(self._now, starts, services)
        self._ledger.refuse(np.array(self._refused))
        self._refused = []
        self._outcomes.add(arrivals, starts - arrivals, services)

    def finish(self) -> None:
        """Tell the outcomes of all that is left, those that still wait included, and check; call it once, at the end."""
        self.check()
        self._outcomes.leave_waiting(self.waiting_arrivals(), self._now)

    def check(self) -> None:
        """Raise ``ConservationError`` unless every request is somewhere and both areas are what a second count says (``Ledger``)."""
        self.flush()
        self._ledger.check(self.tally())

    def _settle(self) -> None:
        if self._limit is not None:
            self._admit(self._limit)
        self._serve_line(self._now)
        self._serve()
        self._inflow.come(self._now)

    def _serve(self) -> None:
        while (offered := self._inflow.offer(self._now))[0]:
            starts = self._slots.serve(*offered, self._now)
            if starts:
                arrivals, services = self._inflow.take(len(starts))
                self._begun.add_run(arrivals, np.array(starts), services)
                self._flush_when_many()
            if len(starts) < len(offered[0]):
                return

    def _admit(self, limit: int) -> None:
        while (offered := self._inflow.offer(self._now))[0]:
            for arrival, service in zip(*offered, strict=True):
                self._serve_line(arrival)
                self._place(_Waiting(arrival, arrival, service), limit)
            self._inflow.take(len(offered[0]))
            self._flush_when_many()

    def _place(self, request: _Waiting, limit: int) -> None:
        free = self._slots.earliest()
        if free is not None and free <= request.arrival:
            self._start(request, request.arrival)
        elif len(self._line) < limit:
            self._line.append(request)
        else:
            self._dropped += 1
            self._refused.append(request.arrival)
            self._outcomes.refuse(request.arrival)

    def _serve_line(self, until: float) -> None:
        while self._line:
            free, first = self._slots.earliest(), self._line[0]
            if free is None or max(first.since, free) > until:
                return
            self._start(self._line.popleft(), max(first.since, free))

    def _start(self, request: _Waiting, start: float) -> None:
        self._slots.take(request.arrival, start, request.service)
        self._begun.add(request.arrival, start, request.service)

    def _cut_short(self, killed: list[Slot]) -> None:
        self.flush()
        self._ledger.kill(np.array([slot[0] for slot in killed]))
        for ends, _, arrival, start, service in killed:
            self._undone_seconds += ends - self._now
            self._outcomes.retract(arrival, start - arrival, service)

    def _give_back(self, killed: list[Slot]) -> None:
        requests = [_Waiting(arrival, self._now, service) for _, _, arrival, _, service in sorted(killed, key=itemgetter(2, 3, 4))]
        self._line = deque(sorted([*requests, *self._line], key=lambda request: request.arrival))
        self._returned += len(requests)
        self._seconds_to_return += sum(self._now - request.arrival for request in requests)
        self._ledger.come_back(len(requests))
        self._settle()

    def _lose(self, killed: list[Slot]) -> None:
        self._lost += len(killed)
        for _, _, arrival, _, _ in killed:
            self._outcomes.refuse(arrival)

    def _ages(self) -> float:
        return sum(self._now - request.arrival for request in self._line) + self._inflow.ages(self._now)

    def _oldest_wait(self) -> float:
        oldest = self._line[0].arrival if self._line else self._inflow.oldest()
        return 0.0 if oldest is None else self._now - oldest

    def _flush_when_many(self) -> None:
        if self._begun.held + len(self._refused) >= _BATCH:
            self.flush()


def _told(blocks: Iterator[Block], ledger: Ledger) -> Iterator[Block]:
    for block in blocks:
        ledger.expect(block.arrivals)
        yield block
