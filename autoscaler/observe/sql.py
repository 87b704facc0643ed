"""Read a metric as the answer of a database to a query."""

from __future__ import annotations

import sqlite3
import stat
import time
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias
from urllib.parse import quote

from autoscaler.model import Help, Reading
from autoscaler.observe.source import Poll, SourceError
from autoscaler.wording import shown

_PREFIX = "sqlite:///"
_STEPS = 1000  # of SQLite's machine between two looks at the clock
_BUSY_SHARE = 0.8  # of the poll's time is spent waiting for a lock, so that the cause arrives in time

Value: TypeAlias = "int | float | str | bytes | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSource:
    """The one number that a query on a SQLite database answers with.

    ``url`` is ``sqlite:///jobs.db``, taken from the folder of the configuration file, or ``sqlite:////var/lib/app/jobs.db``. The
    database is opened for reading only, anew for each poll, and is never created; one in WAL mode may be written meanwhile. The
    query gives one row of one column with a number. ``NULL`` is no data: write ``coalesce(sum(x), 0)`` where none means zero,
    which ``count(*)`` does by itself. A query that outlives its poll's deadline is interrupted.
    """

    url: Annotated[str, Help("the database, such as sqlite:///jobs.db")]
    query: Annotated[str, Help("a query that gives one number, such as select count(*) from jobs where state = 'waiting'")]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a database that is none of SQLite's files, or an empty query."""
        path = self.url.removeprefix(_PREFIX)
        if path == self.url or not path or path.startswith(":"):
            scheme = self.url.partition(":")[0]
            raise ValueError(f"url begins with {shown(scheme)}; sqlite:///relative.db and sqlite:////absolute.db are supported")
        if not self.query.strip():
            raise ValueError("query is empty; write a select that gives one number")

    @property
    def path(self) -> Path:
        """The database's file."""
        return Path(self.url.removeprefix(_PREFIX))

    def located(self, folder: Path) -> SqlSource:
        """Return this source with its relative path taken from ``folder``."""
        return replace(self, url=f"{_PREFIX}{folder.resolve() / self.path}")

    def read(self, poll: Poll) -> Reading:
        """Return the number the query gives now; raise ``SourceError`` when there is none."""
        deadline = time.monotonic() + poll.timeout_seconds
        try:
            self._require_file()
            with closing(self._connect(poll.timeout_seconds)) as database:
                database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)  # attaching another file would create it
                database.set_progress_handler(lambda: time.monotonic() >= deadline, _STEPS)
                return poll.reading(_number(database.execute(self.query)))
        except (sqlite3.Error, sqlite3.Warning, OSError, ValueError) as error:
            self._fail(error, poll, deadline)

    def _require_file(self) -> None:
        """Refuse what SQLite would wait for, or create."""
        mode = self.path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise SourceError(f"{self.path} is not a file")

    def _connect(self, timeout_seconds: float) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(self.path.absolute()))}?mode=ro", uri=True, timeout=_BUSY_SHARE * timeout_seconds)

    def _fail(self, error: Exception, poll: Poll, deadline: float) -> NoReturn:
        if isinstance(error, FileNotFoundError):
            raise SourceError(f"no database {self.path}") from error
        if time.monotonic() >= deadline:
            raise SourceError(f"no answer within {poll.timeout_seconds:g} s") from error
        raise SourceError(f"{self.path.name}: {str(getattr(error, 'strerror', None) or error)[:200]}") from error


def _number(cursor: sqlite3.Cursor) -> float:
    """Return the one number of an answer."""
    if cursor.description is None:
        raise SourceError("the query gives no rows at all; write a select")
    if len(cursor.description) != 1:
        raise SourceError(f"the query gives {len(cursor.description)} columns, not one")
    rows: list[tuple[Value]] = cursor.fetchmany(2)
    if not rows:
        raise SourceError("no data: the query gives no row")
    if len(rows) > 1:
        raise SourceError("the query gives several rows, not one; aggregate them, as count(*) or sum(...) does")
    return _finite(rows[0][0])


def _finite(value: Value) -> float:
    if value is None:
        raise SourceError("no data: the query gives NULL; write coalesce(..., 0) if that means zero")
    if not isinstance(value, int | float):
        raise SourceError(f"the query gives {shown(str(value))}, which is text, not a number")
    return float(value)
