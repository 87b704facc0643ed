"""Say how a check of the simulator's fidelity went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """The name of a check, whether everything in it holds, and what it measured, in lines for people."""

    name: str
    holds: bool
    lines: tuple[str, ...]
