"""Open the queue: a table of jobs in an SQLite file that web and worker share."""

import sqlite3

SCHEMA = "create table if not exists jobs (id integer primary key, state text not null default 'waiting', worker text)"


def connect() -> sqlite3.Connection:
    """Return a connection that commits every statement by itself."""
    connection = sqlite3.connect("jobs.db", timeout=10, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute(SCHEMA)
    return connection
