"""Run calls side by side on daemon threads, which nobody waits for when the program ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from threading import Event, Thread
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
WIDTH = 16  # calls under way at once


class Job(Generic[T]):
    """One call in a thread of its own; what it raises is raised where its answer is asked for."""

    def __init__(self, call: Callable[[], T], name: str) -> None:
        """Begin the call at once."""
        self._call = call
        self._answers: list[T] = []
        self._failure: BaseException | None = None
        self._done = Event()
        Thread(target=self._run, name=name, daemon=True).start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the call has ended, or for ``seconds``; tell whether it has."""
        return self._done.wait(seconds)

    def answer(self) -> T:
        """Return what an ended call returned; raise what it raised."""
        if self._failure is not None:
            raise self._failure
        return self._answers[0]

    def _run(self) -> None:
        try:
            with self:
                self._answers.append(self._call())
        finally:
            self._done.set()

    def __enter__(self) -> None:
        """Begin to keep an exception for the thread that waits."""

    def __exit__(self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None) -> bool:
        """Keep the exception, if there is one."""
        self._failure = failure
        return True


def side_by_side(calls: Sequence[Callable[[], T]], width: int = WIDTH) -> list[T]:
    """Return the answers of all calls in their order, at most ``width`` under way at once; raise the first failure when all have ended.

    Where the system gives no more threads, those there are do it all.
    """
    if len(calls) == 1:
        return [calls[0]()]
    answers: dict[int, T] = {}
    numbers = count()

    def work() -> None:
        while (number := next(numbers)) < len(calls):
            answers[number] = calls[number]()

    workers = list(_started(work, min(width, len(calls))))
    for worker in workers:
        worker.wait()
    for worker in workers:
        worker.answer()
    return [answers[number] for number in range(len(calls))]


def _started(work: Callable[[], None], most: int) -> Iterator[Job[None]]:
    for number in range(most):
        try:
            yield Job(work, f"side-by-side-{number}")
        except RuntimeError:
            if number == 0:
                raise
            return
