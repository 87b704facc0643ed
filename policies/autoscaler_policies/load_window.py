"""Average a load over the readings of sliding windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypedDict

from autoscaler.decide.exact import ceiling, exact
from autoscaler.model import Reading

_MILLIONTHS = 10**6  # sums of whole millionths are exact and never drift
_ALL_WHOLE = 10.0**15  # from here on a float holds no fraction that counts

_BUCKETS_OF_SHORTEST = 6  # Knative's 1 s in a panic window of 6 s


class PastLoad(TypedDict):
    """The readings so far: one sum, in millionths, and one count for each bucket from number ``first`` on."""

    first: int
    sums: list[int]
    counts: list[int]
    at: float  # time of the newest reading


class Mean(NamedTuple):
    """An exact average as it was summed; to reduce it to a fraction takes longer than all that is done with it."""

    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class LoadWindow:
    """Readings of the last ``seconds``, in buckets of time; a bucket is at least the time between two ticks.

    The load of a window is the mean of the readings that came in it. A time without a reading counts as nothing and not as 0, in
    which this differs from Knative's window: a metric that is polled every third tick would be a third of itself.
    """

    seconds: float
    bucket_seconds: float
    buckets: int

    @property
    def span_seconds(self) -> float:
        """Return the time that the buckets cover, which is more than ``seconds`` where these are no multiple of a bucket."""
        return self.buckets * self.bucket_seconds

    def bucket(self, now: float) -> int:
        """Return the number of the bucket that ``now`` (monotonic seconds) falls into."""
        return int(now // self.bucket_seconds)

    def record(self, past: PastLoad | None, reading: Reading, now: float) -> PastLoad:
        """Add a reading to the past, unless it is in it already; a negative one counts 0."""
        if past is not None and past["at"] == reading.at:
            return past
        millionths = _in_millionths(reading.value)
        bucket = self.bucket(now)
        ahead = bucket - past["first"] - len(past["sums"]) + 1 if past is not None else -1  # buckets since the newest
        if past is None or not 0 <= ahead < self.buckets:
            return {"first": bucket, "sums": [millionths], "counts": [1], "at": reading.at}
        sums, counts = past["sums"] + [0] * ahead, past["counts"] + [0] * ahead
        sums[-1] += millionths
        counts[-1] += 1
        old = max(0, len(sums) - self.buckets)
        return {"first": past["first"] + old, "sums": sums[old:], "counts": counts[old:], "at": reading.at}

    def average(self, past: PastLoad, now: float) -> Mean:
        """Return the mean of the readings in the window that ends now; of the newest ones when it has none of its own."""
        sums, counts = past["sums"], past["counts"]
        begin = min(int(now // self.bucket_seconds) - self.buckets + 1 - past["first"], len(sums) - 1)
        if begin > 0:
            sums, counts = sums[begin:], counts[begin:]
        return Mean(sum(sums), sum(counts) * _MILLIONTHS)


def windows(stable_seconds: float, panic_seconds: float, tick_seconds: float) -> tuple[LoadWindow, LoadWindow]:
    """Return a long and a short window over the same buckets: six to the short one, or one a tick where that is longer."""
    bucket = max(exact(tick_seconds), exact(panic_seconds) / _BUCKETS_OF_SHORTEST)
    stable, panic = (LoadWindow(span, float(bucket), ceiling(exact(span) / bucket)) for span in (stable_seconds, panic_seconds))
    return stable, panic


def _in_millionths(value: float) -> int:
    return round(value * _MILLIONTHS) if value < _ALL_WHOLE else int(value) * _MILLIONTHS
