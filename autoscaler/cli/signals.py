"""Answer signals on a thread of their own, whatever the main thread waits for."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping

# A parent may have it ignore SIGCHLD, and then no child could be waited for.
_RESET = (signal.SIGCHLD,)


def answer_signals(calls: Mapping[signal.Signals, Callable[[], None]]) -> None:
    """Call a function for each signal, one after another, on a daemon thread; for the rest of the program's life.

    The handlers do nothing but exist: the interpreter writes the signal's number to a pipe, so that neither a lock held by the
    main thread nor a call it is stuck in delays the answer.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in calls:
        signal.signal(number, _exist)
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    threading.Thread(target=_answer, args=(reader, calls), name="signals", daemon=True).start()


def _exist(number: int, frame: object) -> None:
    del number, frame


def _answer(reader: int, calls: Mapping[signal.Signals, Callable[[], None]]) -> None:
    while True:
        for number in os.read(reader, 64):
            call = calls.get(signal.Signals(number))
            if call:
                call()
