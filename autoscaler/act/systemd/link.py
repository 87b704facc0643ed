"""Keep the connection to one systemd, and call it."""

from __future__ import annotations

import random
from collections.abc import Callable

from autoscaler.act.event_loop import EventLoop, Timer
from autoscaler.act.systemd import calls
from autoscaler.act.systemd.reach import Reach, UnreachableError
from autoscaler.act.systemd.session import Session
from autoscaler.act.systemd.values import NO_ANSWER, Answer, Watcher
from autoscaler.act.systemd.wire import Call

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0
_JITTER = 0.2  # hosts that were lost together do not come back in one instant

Then = Callable[[Answer], None]


class Link:
    """The way to one systemd: connects again by itself; belongs to the thread of the event loop.

    Every call is answered once, later, from the loop: with NO_ANSWER at once while there is no connection, else within 25 s.
    """

    def __init__(self, loop: EventLoop, reach: Reach, globs: tuple[str, ...], watcher: Watcher) -> None:
        """Open nothing yet; the globs are those of systemctl, over names of units."""
        self._loop = loop
        self._reach = reach
        self._globs = globs
        self._watcher = watcher
        self._session: Session | None = None
        self._retry: Timer | None = None
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._is_open = False
        self._is_loss_told = False
        self._cause = f"{reach.place} is not connected yet"

    def open(self) -> None:
        """Begin to connect, and again after every loss until ``close``."""
        self._is_open = True
        self._retry = self._loop.at(self._loop.now(), self._connect)

    def look_for(self, globs: tuple[str, ...]) -> None:
        """Follow other units from now on; the watcher gets a new inventory."""
        self._globs = globs
        if self._session is not None:
            self._session.look_for(globs)

    def close(self) -> None:
        """Let go of everything; nothing is called afterwards, not even for calls under way."""
        self._is_open = False
        if self._retry is not None:
            self._retry.cancel()
        if self._session is not None:
            self._session.close()
            self._session = None

    def start(self, unit: str, then: Then) -> None:
        """Queue a start job; a job that conflicts with another is refused."""
        self._act(calls.start_unit(unit), unit, "start", then)

    def stop(self, unit: str, then: Then) -> None:
        """Queue a stop job, in place of any other job of the unit."""
        self._act(calls.stop_unit(unit), unit, "stop", then)

    def reset_failed(self, unit: str, then: Then) -> None:
        """Make systemd forget that the unit failed; one that is not loaded is an error."""
        self._act(calls.reset_failed(unit), unit, "", then)

    def enable(self, unit: str, then: Then) -> None:
        """Have the unit started at boot; the error autoscaler.NoInstall says that its file does not tell by what."""
        self._act(calls.enable(unit), unit, "", then)

    def disable(self, unit: str, then: Then) -> None:
        """Have the unit started at boot no more."""
        self._act(calls.disable(unit), unit, "", then)

    def _act(self, call: Call, unit: str, job_type: str, then: Then) -> None:
        if self._session is not None and self._session.is_up:
            self._session.act(call, unit, job_type, lambda answer: self._answer(then, answer))
        else:
            answer = Answer(error=NO_ANSWER, sentence=self._cause)
            self._loop.at(self._loop.now(), lambda: self._answer(then, answer))

    def _answer(self, then: Then, answer: Answer) -> None:
        if self._is_open:
            then(answer)

    def _connect(self) -> None:
        try:
            self._session = Session(self._loop, self._reach, self._globs, self._watcher, self._lost)
        except UnreachableError as error:
            self._lost(str(error))
        except OSError as error:
            self._lost(f"this machine refuses what a connection to {self._reach.place} needs: {error.strerror}")

    def _lost(self, cause: str) -> None:
        if self._session is not None and self._session.has_been_up:
            self._pause_seconds = _FIRST_PAUSE_SECONDS
            self._is_loss_told = False
        self._session = None
        self._cause = cause
        pause = self._pause_seconds * random.uniform(1.0 - _JITTER, 1.0 + _JITTER)  # noqa: S311 - spreads attempts, keeps no secret
        self._pause_seconds = min(2.0 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)
        self._retry = self._loop.at(self._loop.now() + pause, self._connect)
        if not self._is_loss_told:
            self._is_loss_told = True
            self._watcher.lost(cause)
