"""Move a flow through a span in which neither the rate nor the slots change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from autoscaler_simulations.distribution import Distribution
from autoscaler_simulations.plant.flow_arrivals import Inflow
from autoscaler_simulations.plant.flow_line import Line
from autoscaler_simulations.plant.flow_report import FlowReport
from autoscaler_simulations.plant.flow_state import FlowState
from autoscaler_simulations.plant.flow_waits import FlowWaits, Regime

_BLOCK = 4096  # random numbers drawn together
_NOTHING = 1e-9  # requests that are no more than rounding
_BRIEF = 8.0  # services that a step lasts at most to be cut into parts
_IN_HAND = 1.0  # requests: who finds nobody waiting and all slots busy waits until one ends
_PART = 0.2  # services that a part lasts at most


class FlowStep:
    """The movement of one flow.

    A step of many services is taken at once: the waiting moves as a Brownian motion reflected at 0, whose end and lowest point are
    drawn together, and is split into a way down, a time near 0 where waits follow Erlang's formula, and a way up. A step of few
    services is cut into parts, in which the requests in hand change as in a birth and death process.
    """

    def __init__(self, state: FlowState, service: Distribution, report: FlowReport, chance: np.random.Generator) -> None:
        """Move ``state``, tell waits to ``report``, draw from ``chance``."""
        self._state, self._report, self._chance = state, report, chance
        self._service, self._scv = service.mean, service.scv
        self._waits = FlowWaits(report.points, service.scv, report.allowances())
        self._normal: Callable[[], float] = _stream(chance.standard_normal).__next__
        self._uniform: Callable[[], float] = _stream(chance.random).__next__
        self._is_judged = False  # what comes in this step
        self._begun = 0.0  # requests that started in it
        self._ahead = 0.0  # requests to end before one that arrives now starts, when nobody waits
        self._following = 0.0  # ends that are to come, more than expected, because of those that came
        self.line = Line(report)
        self.limit: float = math.inf

    def longest(self, seconds: float) -> float:
        """Return how much of a span can be taken in one step."""
        if seconds >= _BRIEF * self._service or not self._state.slots:
            return seconds
        return seconds / math.ceil(seconds / (_PART * self._service))

    def move(self, inflow: Inflow) -> None:
        """Let requests come, wait, start and end."""
        state = self._state
        state.arrived += inflow.number
        self._is_judged = False
        state.open_slot_seconds += state.slots * inflow.seconds
        if not state.slots:
            self._wait_all(inflow.begins, inflow.seconds, inflow.number, state.waiting + inflow.number)
        elif inflow.seconds < _BRIEF * self._service:
            self._move_briefly(inflow)
        else:
            self._move_long(inflow)

    def _move_long(self, inflow: Inflow) -> None:
        state, seconds = self._state, inflow.seconds
        regime = self._waits.regime(state.slots, inflow.rate)
        capacity = regime.rate * seconds
        served = capacity + math.sqrt(capacity * regime.dispersion) * self._normal()
        change = inflow.number - served
        lowest = (change - math.sqrt(change * change - 2 * regime.variance * seconds * math.log(1 - self._uniform()))) / 2
        before, self._begun = state.waiting, 0.0
        ahead = before + _IN_HAND if before else self._ahead
        reflected = -lowest - ahead
        self._judge(inflow, regime, ahead)
        self._ahead = max(0.0, change - lowest) if self._uniform() < regime.kept(reflected, seconds) else 0.0
        if reflected < 0 < before + change:
            self._press(inflow.begins, seconds, inflow.number, before + min(change, inflow.number))
            self._end_long(self._begun, state.slots * seconds, state.slots)
            return
        after = min(max(0.0, self._ahead - _IN_HAND), inflow.number, self._most(regime))
        self._ahead = min(self._ahead, _IN_HAND)
        self._descend_and_rise(inflow, regime, (max(reflected, _IN_HAND), after))
        idle = (capacity - served) * math.sqrt(self._scv / regime.dispersion) if regime.dispersion else 0.0
        self._end_hit(inflow, regime, self._begun, idle)

    def _judge(self, inflow: Inflow, regime: Regime, ahead: float) -> None:
        """Tell at once who will be over the objective, where a mean over all paths is known; the one that is drawn then tells no more."""
        over = self._waits.over_share(regime, inflow.seconds, ahead) if self.limit == math.inf else None
        self._is_judged = over is not None
        if over is not None:
            self._report.tell(inflow.begins + inflow.seconds / 2, inflow.number, inflow.number * over)

    def _most(self, regime: Regime) -> float:
        return math.inf if regime.drift >= 0 else self.limit

    def _descend_and_rise(self, inflow: Inflow, regime: Regime, path: tuple[float, float]) -> None:
        begins, seconds, number, before = inflow.begins, inflow.seconds, inflow.number, self._state.waiting
        reflected, after = path
        ways = before + reflected + after
        down = seconds * before / ways
        up = seconds * after / ways
        if after:
            up = min(max(up, seconds * after / number), seconds - down)
            after = min(after, number * up / seconds)
        if down:
            self._press(begins, down, number * down / seconds, 0.0)
        near = seconds - down - up
        self._wander(Inflow(begins + down, near, number * near / seconds, inflow.rate), regime)
        if after:
            self._press(begins + seconds - up, up, number * up / seconds, after)

    def _wander(self, inflow: Inflow, regime: Regime) -> None:
        """Let requests come while the waiting is near 0."""
        refused = inflow.number * regime.blocked(self.limit)
        if refused:
            self._drop(inflow.begins + inflow.seconds / 2, refused)
        number = inflow.number - refused
        if number <= 0:
            return
        shift = self._waits.between(regime, inflow.seconds)
        self._start(number)
        self._report.hear_shift(inflow.begins + inflow.seconds / 2, number, shift, is_judged=self._is_judged)
        if shift.waiting_share:
            self._state.wandered_seconds += number * shift.waiting_share * shift.mean_wait

    def _end_hit(self, inflow: Inflow, regime: Regime, started: float, idle: float) -> None:
        """Say how many slots are busy at the end, and were on average: all that has started is worked on."""
        state = self._state
        busy = float(state.slots)
        if not state.waiting:
            busy = min(busy, max(0.0, regime.mean_busy_below + regime.spread_busy_below * self._normal()))
        busy = min(busy, state.busy + started)
        capacity = regime.rate * inflow.seconds
        work = self._service * (started + idle * math.sqrt(max(0.0, started) / capacity) + state.busy - busy)
        self._end_long(started, min(max(work, 0.0), state.slots * inflow.seconds), busy)

    def _end_long(self, started: float, busy_seconds: float, busy: float) -> None:
        state = self._state
        state.completed += state.busy + started - busy
        state.busy_seconds += busy_seconds
        state.busy = busy

    def _move_briefly(self, inflow: Inflow) -> None:
        state, seconds, number = self._state, inflow.seconds, inflow.number
        slots, before, busy, self._begun = state.slots, state.waiting, min(state.busy, float(state.slots)), 0.0
        ended = self._ended(inflow)
        hands = before + busy + number - ended
        after = hands - slots if hands - slots > _NOTHING else 0.0
        idle_before, idle_after = slots - busy, max(0.0, slots - hands)
        if before and after:
            self._press(inflow.begins, seconds, number, after)
        elif before:
            down = seconds * before / (before + idle_after)
            self._press(inflow.begins, down, number * down / seconds, 0.0)
            self._pass(inflow.begins + down, number * (seconds - down) / seconds)
        elif after:
            up = min(seconds, max(seconds * after / (after + idle_before), seconds * after / number))
            self._pass(inflow.begins, number * (seconds - up) / seconds)
            self._press(inflow.begins + seconds - up, up, number * up / seconds, after)
        else:
            self._pass(inflow.begins, number)
        state.completed += ended
        state.busy = busy + self._begun - ended
        state.busy_seconds += seconds * (busy + state.busy) / 2

    def _ended(self, inflow: Inflow) -> float:
        """Draw how many services end in a part.

        Ends of many slots come like a Poisson process at first. What follows makes up for it, or repeats it, as the variation of the
        services demands: a surplus of ends draws ``sqrt(scv) - 1`` times as many after it, within a service or ``scv`` of them.
        """
        state, services = self._state, inflow.seconds / self._service
        share = -math.expm1(-services)
        followed = self._following * -math.expm1(-services / max(1.0, self._scv))
        if state.waiting:
            expected = state.slots * services
            drawn = float(self._chance.poisson(expected))
        else:
            expected = state.busy * share + inflow.number * (1 - share / services)
            drawn = self._binomial(state.busy, share) + self._binomial(inflow.number, 1 - share / services)
        ended = min(max(0.0, drawn + followed), state.waiting + state.busy + inflow.number)
        self._following += (math.sqrt(self._scv) - 1) * (drawn - expected) - (ended - drawn)
        return self._whole(ended)

    def _whole(self, ended: float) -> float:
        """Round the ends by chance so that what is in hand stays whole."""
        state = self._state
        hands = state.waiting + state.busy - ended
        return ended if hands > state.slots else ended + hands - math.floor(hands + self._uniform())

    def _binomial(self, number: float, share: float) -> float:
        return float(self._chance.binomial(int(number + self._uniform()), share)) if number > 0 else 0.0

    def _pass(self, begins: float, number: float) -> None:
        """Let requests come that find a slot."""
        if number:
            self._start(number)
            self._report.hear_none(begins, number)

    def _press(self, begins: float, seconds: float, number: float, after: float) -> None:
        """Let all slots be busy while the waiting changes evenly; who comes above the limit is dropped."""
        state = self._state
        if after > max(self.limit, state.waiting):
            self._press_full(begins, seconds, number, after)
            return
        self.line.join(begins, begins + seconds, number, is_judged=self._is_judged)
        started = state.waiting + number - after
        self.line.serve(begins, begins + seconds, started)
        self._start(started)
        state.waiting_seconds += seconds * (state.waiting + after) / 2
        state.waiting = after

    def _start(self, number: float) -> None:
        self._state.started += number
        self._begun += number  # apart from all that started before, beside which it would be rounded

    def _press_full(self, begins: float, seconds: float, number: float, after: float) -> None:
        state = self._state
        served = state.waiting + number - after
        most = max(self.limit, state.waiting)  # those that came back are never dropped
        filling = (most - state.waiting) / (after - state.waiting)
        self._press(begins, seconds * filling, number * filling, most)
        rest = served * (1 - filling)
        self._press(begins + seconds * filling, seconds * (1 - filling), rest, most)
        self._drop(begins + seconds * (1 + filling) / 2, number * (1 - filling) - rest)

    def _drop(self, at: float, number: float) -> None:
        self._state.dropped += number
        self._report.outcomes.refuse(at, number)

    def _wait_all(self, begins: float, seconds: float, number: float, after: float) -> None:
        """Let requests come while there is no slot."""
        self._press(begins, seconds, number, after)


def _stream(draw: Callable[[int], np.ndarray]) -> Iterator[float]:
    while True:
        yield from draw(_BLOCK).tolist()
