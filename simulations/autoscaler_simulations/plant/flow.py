"""A queue that computes flows instead of requests, for long loads."""

from __future__ import annotations

import math
from bisect import bisect_left
from heapq import heappop, heappush

import numpy as np

from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.load.trace import RateCurve
from autoscaler_simulations.plant.conservation import ConservationError
from autoscaler_simulations.plant.flow_arrivals import FlowArrivals
from autoscaler_simulations.plant.flow_report import FlowOutcomes, FlowReport
from autoscaler_simulations.plant.flow_state import FlowState
from autoscaler_simulations.plant.flow_step import FlowStep
from autoscaler_simulations.plant.queue import Tally

_TOLERANCE = 1e-6  # of a count or an area
_POINTS = 4000  # that stand for a service
_NOTHING = 1e-9  # seconds that are no more than rounding


class FlowQueue:
    """First come first served in front of slots that come and go, as ``Queue`` asks for, at a cost that does not grow with the requests.

    Numbers of arrivals and of ends are drawn, so that a policy sees the noise it would see live. Single requests are known only where a
    process drains or dies.
    """

    def __init__(
        self, curve: RateCurve, service: Distribution, outcomes: FlowOutcomes, chance: np.random.Generator, *, limit: int | None = None
    ) -> None:
        """Begin at second 0 without slots; at most ``limit`` requests wait, others are dropped."""
        self._state = FlowState()
        self._report = FlowReport(service, outcomes)
        self._step = FlowStep(self._state, service, self._report, chance)
        self._step.limit = math.inf if limit is None else limit
        self._arrivals = FlowArrivals(curve, chance)
        self._chance = chance
        self._points: list[float] = service.points(_POINTS).tolist()
        self._weights: list[float] = np.cumsum(self._points).tolist()
        self._slots: dict[int, int] = {}  # of processes that are ready
        self._draining: dict[int, int] = {}  # jobs in hand
        self._ends: list[tuple[float, int]] = []  # of these jobs, with the process

    def advance(self, until: float) -> None:
        """Let arrivals come and work go on up to ``until``, in seconds since the start."""
        state = self._state
        while state.now < until - _NOTHING:
            whole = min(until, self._arrivals.ends(state.now)) - state.now
            ends = state.now + self._step.longest(whole)
            self._step.move(self._arrivals.take(state.now, ends))
            if self._draining:
                self._work_on(state.now, ends)
            state.now = ends

    def open(self, process: int, slots: int) -> None:
        """Give a process that became ready its slots; waiting requests start at once."""
        state = self._state
        self._slots[process] = slots
        state.slots += slots
        self._start()

    def drain(self, process: int) -> float:
        """Let a process take no more work; return when its last job will end, which is now when it has none."""
        jobs = self._part(process)
        if not jobs:
            return self._state.now
        self._draining[process] = jobs
        ends = [self._state.now + self._residual() for _ in range(jobs)]
        for end in ends:
            heappush(self._ends, (end, process))
        return max(ends)

    def close(self, process: int, *, returns: bool) -> int:
        """Kill a process; its jobs in hand go back to the head of the queue, or are lost. Return how many there were."""
        if process in self._slots:
            jobs = self._part(process)
        else:
            jobs = self._draining.pop(process, 0)
            self._ends = sorted(each for each in self._ends if each[1] != process)
        for _ in range(jobs):
            self._give_up(self._state.now - self._residual(), returns=returns)
        self._start()
        return jobs

    def tally(self) -> Tally:
        """Return the counts up to the present time."""
        state = self._state
        return Tally(
            at=state.now,
            arrived=state.arrived,
            started=state.started,
            completed=state.completed,
            dropped=state.dropped,
            lost=state.lost,
            returned=state.returned,
            waiting=state.waiting,
            busy=state.busy + len(self._ends),
            open_slots=state.slots,
            waiting_seconds=state.waiting_seconds + state.wandered_seconds,
            busy_seconds=state.busy_seconds,
            open_slot_seconds=state.open_slot_seconds,
            waited_seconds=self._step.line.waited_seconds + state.wandered_seconds,
            oldest_wait=self._step.line.oldest(state.now),
        )

    def finish(self) -> None:
        """Tell the outcomes of all that is left, those that wait too long already included, and check; call it once, at the end."""
        self.check()
        self._report.leave_waiting(self._step.line.waits(self._state.now))
        self._report.flush()

    def check(self) -> None:
        """Raise ``ConservationError`` unless every request is somewhere, and Little's law holds for those that waited in the line."""
        state, line = self._state, self._step.line
        busy = state.busy + len(self._ends)
        _compare("requests", state.arrived, state.completed + line.waiting() + busy + state.dropped + state.lost)
        _compare("starts", state.started, state.completed + busy + state.lost + state.returned)
        waited = line.waited_seconds + line.ages(state.now)
        _compare("seconds of waiting", state.waiting_seconds + state.returned_seconds, waited)

    def _part(self, process: int) -> int:
        """Take the slots of a process away; return how many of its jobs are in hand, drawn from those of all open slots."""
        state = self._state
        slots = self._slots.pop(process)
        jobs = min(int(state.busy * slots / state.slots + self._chance.random()), slots)
        state.slots -= slots
        left = min(max(0.0, state.busy - jobs), state.slots)
        state.completed += state.busy - jobs - left  # jobs are whole here, and busy slots are not: less than one ends early or late
        state.busy = left
        return jobs

    def _start(self) -> None:
        """Let those that wait start on idle slots."""
        state = self._state
        started = min(state.waiting, state.slots - state.busy)
        if started > 0:
            self._step.line.serve(state.now, state.now, started)
            state.waiting -= started
            state.busy += started
            state.started += started

    def _residual(self) -> float:
        """Draw how long a job in hand will last, or has lasted: long ones are met more often (Cox 1962, section 5.4)."""
        place = bisect_left(self._weights, self._chance.random() * self._weights[-1])
        return self._points[min(place, _POINTS - 1)] * float(self._chance.random())

    def _give_up(self, arrived: float, *, returns: bool) -> None:
        state = self._state
        arrived = max(0.0, arrived)
        self._report.retract(arrived, 1.0)
        if not returns:
            state.lost += 1
            self._report.outcomes.refuse(arrived)
            return
        state.returned += 1
        state.waiting += 1
        state.returned_seconds += state.now - arrived
        self._step.line.rejoin(arrived, 1.0)

    def _work_on(self, begins: float, until: float) -> None:
        """Let jobs of draining processes go on, and end."""
        state = self._state
        while self._ends and self._ends[0][0] <= until:
            end, process = heappop(self._ends)
            state.busy_seconds += end - begins
            state.completed += 1
            self._draining[process] -= 1
            if not self._draining[process]:
                del self._draining[process]
        state.busy_seconds += len(self._ends) * (until - begins)


def _compare(what: str, one: float, other: float) -> None:
    if abs(one - other) > _TOLERANCE * max(1.0, abs(one), abs(other)):
        raise ConservationError(f"flow queue: {one:.9g} {what} on one side, {other:.9g} on the other; report this, the figures are wrong")
