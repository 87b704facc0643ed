"""Score a finished run, and several runs together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.events import Listener
from autoscaler.model import Json
from autoscaler_simulations.engine.experiment import Experiment
from autoscaler_simulations.engine.simulation import Simulation
from autoscaler_simulations.engine.subject import Subject
from autoscaler_simulations.engine.subjects import make_subjects
from autoscaler_simulations.score.oracle import bounds_of
from autoscaler_simulations.score.score import Score, TypeScore, Use, score_of

_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one experiment with one seed."""

    experiment: Experiment
    seed: int
    ticks: int
    score: Score

    def as_json(self) -> dict[str, Json]:
        """Return the result as plain values."""
        experiment = self.experiment
        return {
            "event": "result",
            "scenario": experiment.name,
            "seed": self.seed,
            "fidelity": experiment.fidelity,
            "ticks": self.ticks,
            **self.score.as_json(),
        }


class Run:
    """One run of an experiment, which is told of while it goes on."""

    def __init__(self, experiment: Experiment, seed: int, listeners: Sequence[Listener] = ()) -> None:
        """Make everything ready; nothing has happened yet."""
        self._experiment, self._seed = experiment, seed
        self._subjects = make_subjects(experiment, seed)
        self._simulation = Simulation(experiment, self._subjects, listeners)

    def go(self) -> Iterator[float]:
        """Run to the end, yielding the seconds reached; raises ``ConservationError`` when a plant lost count."""
        return self._simulation.run()

    def result(self) -> Result:
        """Score what has happened."""
        types = {name: self._score(name, subject) for name, subject in self._subjects.items()}
        return Result(self._experiment, self._seed, self._simulation.ticks, Score(self._experiment.length_seconds, types))

    def _score(self, name: str, subject: Subject) -> TypeScore:
        usage = subject.plant.usage
        use = Use(
            process_hours=usage.process_seconds / _HOUR,
            starts=usage.starts,
            stops=usage.stops,
            crashes=usage.crashes,
            jobs_killed=usage.jobs_killed,
            scale_outs=subject.scale_outs,
            scale_ins=subject.scale_ins,
            elasticity=subject.meter.elasticity(),
        )
        startup = self._experiment.workloads[name].life.startup.mean
        bounds = bounds_of(subject.demand, startup, 0.0)
        chance = np.random.default_rng([self._seed, *name.encode(), 1])
        return score_of(subject.outcomes, subject.plant.queue.tally(), use, bounds, chance)


def run(experiment: Experiment, seed: int) -> Result:
    """Run an experiment to its end."""
    going = Run(experiment, seed)
    for _ in going.go():
        pass
    return going.result()
