"""What the parts of the supervisor stand on together."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.act.event_loop import EventLoop
from autoscaler.act.happenings import Happenings
from autoscaler.act.local.listening import Listeners
from autoscaler.act.local.slots import TypeState
from autoscaler.act.local.streams import Outputs
from autoscaler.act.ports import Ports
from autoscaler.act.roster import Roster


@dataclass(slots=True)
class Ground:
    """The loop and all that every part of the supervisor uses; only the loop's thread touches it."""

    loop: EventLoop
    roster: Roster[TypeState]
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
