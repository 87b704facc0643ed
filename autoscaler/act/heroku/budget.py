"""Keep an eye on the calls that an account has left, which all its users and programs share."""

from __future__ import annotations

import math

from autoscaler.http_client import Answer

_WHOLE, _REFILLED = 4500, 75  # calls of an account, and how many come back each minute
_LOW = 1000  # calls left, below which an operator hears of it
_STEP = 100  # what is said changes by so many, not with every call


class Budget:
    """How many calls the account has left, as the last answer said; safe from any thread."""

    def __init__(self, reserve: int, *, is_told: bool) -> None:
        """Leave ``reserve`` calls to people; tell of the budget when it is low, or always where ``is_told``."""
        self._reserve = reserve
        self._is_told = is_told
        self._left: int | None = None
        self._shown = math.inf

    @property
    def is_short(self) -> bool:
        """Tell whether what is left should be left to people."""
        return self._left is not None and self._left < self._reserve

    def note(self, answer: Answer) -> None:
        """Take in what an answer says of it."""
        left = answer.headers.get("ratelimit-remaining", "")
        if not left.isdecimal():
            return
        self._left = int(left)
        # A whole step either way: a budget that hovers between two steps is not told anew at each call.
        if abs(self._left - self._shown) >= _STEP:
            self._shown = round(self._left / _STEP) * _STEP

    def sentences(self) -> tuple[str, ...]:
        """Say how much is left, where an operator should know."""
        if self._left is None or not (self._is_told or self._shown < _LOW or self.is_short):
            return ()
        said = f"API budget: about {self._shown:,.0f} of {_WHOLE:,} calls left, refilled {_REFILLED} a minute"
        return (f"{said}; Heroku is asked once a minute until there are {self._reserve}",) if self.is_short else (said,)
