"""Find the fewest processes that meet an objective at a steady load."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from autoscaler_policies.erlang import erlang_c, variability_of, waiting_tail
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.score.errors import ScoreError
from autoscaler_simulations.score.objective import ROUNDING_SECONDS, Objective
from autoscaler_simulations.score.work import Work


class Staffing:
    """Slots in processes, at work under one objective; arrivals are taken as Poisson."""

    def __init__(self, objective: Objective, work: Work, slots: int) -> None:
        """Prepare the formulas; raises ``ScoreError`` when a process has no slot."""
        if slots < 1:
            raise ScoreError(f"slots: a process with {slots} serves nobody; give at least 1")
        self._work, self._slots = work, slots
        self._allowed = 1 - objective.share
        self._variability = variability_of(1.0, work.scv)
        in_time = int(np.searchsorted(work.points, objective.seconds + ROUNDING_SECONDS, side="right"))
        self._too_long = 1 - in_time / len(work.points)
        is_possible = objective.measure == "wait" or self._too_long <= self._allowed
        self._is_response = objective.measure == "response" and is_possible
        self._seconds = objective.seconds if is_possible else 0.0
        self._left = np.maximum(objective.seconds - work.points[:in_time], 0.0)  # for the wait, after each service
        self.note = None if is_possible else _impossible(objective, self._too_long)

    def share_over(self, processes: int, offered: float) -> float:
        """Return the share of the requests over the objective at ``offered`` busy slots: M/G/c (Erlang 1917, Allen 1990).

        A response is the wait with an independent service, so its tail is the wait's, averaged over the points of the service.
        """
        slots, mean = processes * self._slots, self._work.mean_seconds
        if not self._is_response or slots <= offered:
            return waiting_tail(slots, offered, self._seconds / mean, self._variability)
        decay = (slots - offered) / (mean * self._variability)
        late = np.exp(-decay * self._left).sum() / len(self._work.points)
        return self._too_long + erlang_c(slots, offered) * float(late)

    def fewest(self, offered: Floats) -> npt.NDArray[np.int64]:
        """Return the fewest processes for each load in busy slots; none where nothing arrives.

        More load never needs fewer, so between two loads with the same answer there is nothing to compute.
        """
        loads, places = np.unique(offered, return_inverse=True)
        answers = np.zeros(len(loads), np.int64)
        if len(loads):
            answers[0] = self._fewest(float(loads[0]), 0, self._enough(float(loads[0])))
            answers[-1] = self._fewest(float(loads[-1]), 0, self._enough(float(loads[-1])))
            self._fill(loads, answers, 0, len(loads) - 1)
        return answers[places]

    def _fill(self, loads: Floats, answers: npt.NDArray[np.int64], first: int, last: int) -> None:
        low, high = int(answers[first]), int(answers[last])
        if low == high or last - first <= 1:
            answers[first:last] = low
            return
        middle = (first + last) // 2
        answers[middle] = self._fewest(float(loads[middle]), low, high)
        self._fill(loads, answers, first, middle)
        self._fill(loads, answers, middle, last)

    def _enough(self, offered: float) -> int:
        """Return a number of processes that meets the objective, by doubling what is spare."""
        if offered <= 0:
            return 0
        spare = 1
        while not self._meets(math.floor(offered / self._slots) + spare, offered):
            spare *= 2
        return math.floor(offered / self._slots) + spare

    def _fewest(self, offered: float, low: int, high: int) -> int:
        """Return the fewest processes from ``low`` to ``high``, which is enough."""
        low = max(low, math.floor(offered / self._slots) + (offered > 0))
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._meets(middle, offered) else (middle + 1, high)
        return low

    def _meets(self, processes: int, offered: float) -> bool:
        return self.share_over(processes, offered) <= self._allowed


def _impossible(objective: Objective, longer: float) -> str:
    return (
        f"no number of processes meets the objective: {100 * longer:.3g} % of the requests take longer than {objective.seconds:g} s to serve "
        f"alone; demand is the fewest processes at which {100 * objective.share:g} % of them start at once"
    )
