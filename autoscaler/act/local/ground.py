"""What the parts of the supervisor stand on together."""

from __future__ import annotations

import os
import secrets
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.act.local.event_loop import EventLoop
from autoscaler.act.local.listening import Listeners
from autoscaler.act.local.ports import Ports
from autoscaler.act.local.roster import Roster
from autoscaler.act.local.streams import Outputs

_REMEMBERED_HAPPENINGS = 1000  # if nobody observes for long, the oldest are forgotten


class Happenings:
    """What happened since somebody last asked, in sentences; safe from any thread."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._sentences: deque[str] = deque(maxlen=_REMEMBERED_HAPPENINGS)

    def tell(self, sentence: str) -> None:
        """Remember one sentence."""
        self._sentences.append(sentence)

    def take(self) -> tuple[str, ...]:
        """Return all sentences and forget them."""
        return tuple(self._sentences.popleft() for _ in range(len(self._sentences)))


@dataclass(slots=True)
class Ground:
    """The loop and all that every part of the supervisor uses; only the loop's thread touches it."""

    loop: EventLoop
    roster: Roster
    outputs: Outputs
    happenings: Happenings
    listeners: Listeners
    folder: Path
    ports: Ports
    own_pid: int = field(default_factory=os.getpid)
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def mark(self, serial: int, name: str) -> str:
        """Return the marker of one run, which its descendants inherit."""
        return f"{self.token}/{serial}/{name}"

    def serial_of(self, marker: str) -> int | None:
        """Return the run a marker belongs to; None when it is not ours. It may stand among those of other controllers."""
        for part in marker.split():
            token, _, rest = part.partition("/")
            if token == self.token:
                return int(rest.partition("/")[0])
        return None
