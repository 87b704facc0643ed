"""Keep the demo's jobs in an SQLite file that many processes share.

Times are monotonic seconds: on Linux every process reads the same monotonic clock, and a step of the wall clock changes no wait.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Self

_LOCK_SECONDS = 10.0  # how long a writer waits for another one
_SCHEMA = """
create table jobs (
    id integer primary key, state text not null default 'waiting', enqueued real not null, started real, finished real, worker text
);
create index jobs_by_state on jobs (state, id);
"""
_CLAIM = """
update jobs set state = 'running', started = ?, worker = ?
where id = (select id from jobs where state = 'waiting' order by id limit 1) returning id
"""
_FINISH = "update jobs set state = 'done', finished = ? where id = ? and worker = ? and state = 'running'"
_GIVE_BACK = "update jobs set state = 'waiting', started = null, worker = null where state = 'running'"


def create(path: Path) -> None:
    """Make the queue's file; raise ``sqlite3.Error`` when it is already there."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.executescript(_SCHEMA)
    finally:
        connection.close()


class Jobs:
    """A connection to the queue, for one thread. Every method may raise ``sqlite3.Error``."""

    def __init__(self, path: Path) -> None:
        """Open the queue that ``create`` made."""
        self._connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=_LOCK_SECONDS, isolation_level=None)
        self._connection.execute("pragma synchronous = normal")

    def __enter__(self) -> Self:
        """Return the open queue."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the connection."""
        self._connection.close()

    def enqueue(self, now: float) -> None:
        """Add one waiting job."""
        self._connection.execute("insert into jobs (enqueued) values (?)", (now,))

    def claim(self, worker: str, now: float) -> int | None:
        """Take the oldest waiting job for ``worker`` and return its number, or ``None`` when none waits."""
        rows = self._connection.execute(_CLAIM, (now, worker)).fetchall()
        return int(rows[0][0]) if rows else None

    def finish(self, job: int, worker: str, now: float) -> None:
        """Mark a job as done, unless it was given back meanwhile."""
        self._connection.execute(_FINISH, (now, job, worker))

    def give_back(self, worker: str) -> None:
        """Let what a killed process of this name left behind wait again."""
        self._connection.execute(f"{_GIVE_BACK} and worker = ?", (worker,))

    def give_back_overdue(self, started_before: float) -> None:
        """Let jobs wait again whose process must be dead, because they run since before ``started_before``."""
        self._connection.execute(f"{_GIVE_BACK} and started < ?", (started_before,))

    def waits(self) -> list[float]:
        """Return the seconds from enqueue to start of every job that is done."""
        rows = self._connection.execute("select started - enqueued from jobs where state = 'done'").fetchall()
        return [float(seconds) for (seconds,) in rows]
