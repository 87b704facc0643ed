"""Say when and how the demo ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event


@dataclass(frozen=True, slots=True)
class Ending:
    """``stop`` ends the demo and drains its processes, ``hurry`` kills them, ``interrupted`` says that somebody asked."""

    stop: Event = field(default_factory=Event)
    hurry: Event = field(default_factory=Event)
    interrupted: Event = field(default_factory=Event)

    def interrupt(self) -> None:
        """End the demo before its time; at once when asked a second time. Not for signal handlers: events take locks."""
        if self.interrupted.is_set():
            self.hurry.set()
        self.interrupted.set()
        self.stop.set()
