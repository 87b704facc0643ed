"""Draw how long work takes, from a formula or from measured durations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Annotated

import numpy as np

from autoscaler.model import Duration, Help, Number, PathName
from autoscaler_simulations.arrays import Floats
from autoscaler_simulations.durations_file import read_durations

_HALVINGS = 60  # of an interval, to reach the accuracy of a float


@dataclass(frozen=True, slots=True)
class _OfMean:
    """What is told its mean."""

    mean_seconds: Duration

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""
        return self.mean_seconds


@dataclass(frozen=True, slots=True)
class Deterministic(_OfMean):
    """Always the same duration."""

    @property
    def scv(self) -> float:
        """Return 0: there is no variation."""
        return 0.0

    def draw(self, chance: np.random.Generator, number: int) -> Floats:  # noqa: ARG002 - the contract hands chance to all
        """Repeat the mean."""
        return np.full(number, self.mean_seconds)

    def points(self, number: int) -> Floats:
        """Repeat the mean."""
        return np.full(number, self.mean_seconds)


@dataclass(frozen=True, slots=True)
class Exponential(_OfMean):
    """Durations without memory: P(longer than t) = exp(-t / mean) (Erlang 1917)."""

    @property
    def scv(self) -> float:
        """Return 1, as of every exponential distribution."""
        return 1.0

    def draw(self, chance: np.random.Generator, number: int) -> Floats:
        """Draw independent durations."""
        return chance.exponential(self.mean_seconds, number)

    def points(self, number: int) -> Floats:
        """Return the quantiles ``-mean ln(1 - q)``."""
        return -self.mean_seconds * np.log1p(-_middles(number))


@dataclass(frozen=True, slots=True)
class Lognormal(_OfMean):
    """Durations whose logarithm is normal, with variance ``ln(1 + scv)`` and mean ``ln(mean) - variance / 2`` (Aitchison and Brown 1957)."""

    scv: Annotated[float, Number(at_least=0), Help("squared coefficient of variation: variance over squared mean")] = 1.0

    def draw(self, chance: np.random.Generator, number: int) -> Floats:
        """Draw independent durations."""
        variance = math.log1p(self.scv)
        return chance.lognormal(math.log(self.mean_seconds) - variance / 2, math.sqrt(variance), number)

    def points(self, number: int) -> Floats:
        """Return the quantiles, from those of the normal distribution (Wichura 1988)."""
        variance = math.log1p(self.scv)
        normal = np.array([NormalDist().inv_cdf(each) for each in _middles(number)])
        return self.mean_seconds * np.exp(math.sqrt(variance) * normal - variance / 2)


@dataclass(frozen=True, slots=True)
class Hyperexponential(_OfMean):
    """Short and long durations mixed: two exponential phases with balanced means (Tijms 1994, appendix B).

    A share ``p = (1 + sqrt((scv - 1) / (scv + 1))) / 2`` has the mean ``mean / 2p``, the others ``mean / 2(1 - p)``, so that both
    kinds make half of the work.
    """

    scv: Annotated[float, Number(above=1), Help("squared coefficient of variation: variance over squared mean")]

    @property
    def _share(self) -> float:
        return (1 + math.sqrt((self.scv - 1) / (self.scv + 1))) / 2

    def draw(self, chance: np.random.Generator, number: int) -> Floats:
        """Draw independent durations."""
        is_short = chance.random(number) < self._share
        return chance.standard_exponential(number) * np.where(is_short, self._short_mean, self._long_mean)

    def points(self, number: int) -> Floats:
        """Return the quantiles, by halving the interval between those of both phases."""
        exponential = -np.log1p(-_middles(number))
        low, high = exponential * self._short_mean, exponential * self._long_mean
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            is_below = self._longer(middle) > np.exp(-exponential)
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        return (low + high) / 2

    def _longer(self, seconds: Floats) -> Floats:
        return self._share * np.exp(-seconds / self._short_mean) + (1 - self._share) * np.exp(-seconds / self._long_mean)

    @property
    def _short_mean(self) -> float:
        return self.mean_seconds / (2 * self._share)

    @property
    def _long_mean(self) -> float:
        return self.mean_seconds / (2 * (1 - self._share))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Measured durations, each as likely as the others (the bootstrap, Efron 1979)."""

    values: Floats  # seconds, at least one, finite, not negative, not all 0

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""
        return float(self.values.mean())

    @property
    def scv(self) -> float:
        """Return variance over squared mean, the values being all there is."""
        return float(self.values.var()) / self.mean**2

    def draw(self, chance: np.random.Generator, number: int) -> Floats:
        """Draw independent durations: the same one may come again."""
        return chance.choice(self.values, number)

    def points(self, number: int) -> Floats:
        """Return the quantiles, each one of the values: the first whose share of values up to it reaches q."""
        ranks = np.ceil(_middles(number) * len(self.values)).astype(np.int64) - 1
        return np.sort(self.values)[ranks]


@dataclass(frozen=True, slots=True)
class Empirical:
    """Durations measured before, read from a file: one a line, or the column ``service_s`` of a table with a head."""

    file: Annotated[PathName, Help("one duration a line in seconds, or a CSV file with a column service_s")]
    _sample: Sample = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the file; raise ``DurationsError`` naming row and value when it holds anything but durations."""
        object.__setattr__(self, "_sample", self.of(read_durations(self.file)))

    @staticmethod
    def of(values: Floats) -> Sample:
        """Take durations that are in memory already."""
        return Sample(values)

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""
        return self._sample.mean

    @property
    def scv(self) -> float:
        """Return variance over squared mean."""
        return self._sample.scv

    def draw(self, chance: np.random.Generator, number: int) -> Floats:
        """Draw independent durations: the same one may come again."""
        return self._sample.draw(chance, number)

    def points(self, number: int) -> Floats:
        """Return quantiles, each one of the file's durations."""
        return self._sample.points(number)


def _middles(number: int) -> Floats:
    return (np.arange(number) + 0.5) / number
