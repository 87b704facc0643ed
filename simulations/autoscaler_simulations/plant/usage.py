"""Add up what the processes of one type cost and went through."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Usage:
    """What the processes of one type did so far.

    Whoever ran at the beginning or was started is alive now, or has ended once: ``running at the beginning + starts == stops + crashes +
    alive that were not told to stop``.
    """

    process_seconds: float = 0.0  # from the request of each start to its exit
    ready_seconds: float = 0.0  # from ready to exit, draining included
    starts: int = 0
    stops: int = 0  # processes told to stop, but not those that waited for their restart
    crashes: int = 0  # processes that ended without being told to, failed starts and lost ones included
    jobs_killed: int = 0  # in hand when their process outlived its stop timeout
    drains_killed: int = 0
