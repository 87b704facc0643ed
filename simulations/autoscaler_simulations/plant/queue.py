"""The contract of a simulated queue, first come first served, in front of the slots of one process type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a queue has done up to ``at``; numbers of requests are whole for one kind of queue and fractions for the other.

    ``arrived == completed + waiting + busy + dropped + lost`` always holds. A request that came back from a killed process counts as
    arrived once, as started each time.
    """

    at: float = 0.0
    arrived: float = 0.0
    started: float = 0.0
    completed: float = 0.0
    dropped: float = 0.0  # refused, because the queue was full
    lost: float = 0.0  # in hand when their process died, and not given back
    returned: float = 0.0  # in hand when their process died, and waiting again
    waiting: float = 0.0
    busy: float = 0.0  # slots at work, draining processes included
    open_slots: float = 0.0  # of processes that are ready and do not drain
    waiting_seconds: float = 0.0  # the area under `waiting`
    busy_seconds: float = 0.0  # the area under `busy`
    open_slot_seconds: float = 0.0  # the area under `open_slots`
    waited_seconds: float = 0.0  # the waits of those that started, summed when they start; a return starts a new wait at the first arrival
    oldest_wait: float = 0.0  # how long the request at the head of the queue has waited


class Queue(Protocol):
    """Requests and the slots that serve them; time only goes forward, by ``advance``.

    Every call but ``advance`` happens at the time that was last advanced to. Processes are known by number.
    """

    def advance(self, until: float) -> None:
        """Let arrivals come and work go on up to ``until``, in seconds since the start."""

    def open(self, process: int, slots: int) -> None:
        """Give a process that became ready its slots; waiting requests start at once."""

    def drain(self, process: int) -> float:
        """Let a process take no more work; return when its last job will end, which is now when it has none."""

    def close(self, process: int, *, returns: bool) -> int:
        """Kill a process; its jobs in hand go back to the head of the queue, or are lost. Return how many there were.

        Also called for one that has drained to its end: then there are none.
        """

    def tally(self) -> Tally:
        """Return the counts up to the present time."""

    def finish(self) -> None:
        """Hand over what is not told yet, those that still wait included, and check that nothing was lost count of.

        Raises ``ConservationError`` when a request is nowhere, or Little's law does not hold over the whole path.
        """
