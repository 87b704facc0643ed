import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from autoscaler.model import Reading
from autoscaler.observe.sql import SqlSource

_COUNT = "select count(*) from jobs"
_WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("insert into jobs values ('waiting')")
print("written", flush=True)
sys.stdin.read()
"""
_FOR_EVER = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold an open database of three waiting jobs."""
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("create table jobs (state text)")
        opened.executemany("insert into jobs values (?)", [("waiting",)] * 3)
        yield opened


def _source(path: Path, query: str = _COUNT) -> SqlSource:
    return SqlSource(url=f"sqlite:///{path}", query=query)


@pytest.mark.usefixtures("database")
def test_the_answer_is_the_reading(path, poll):
    assert _source(path).read(poll()) == Reading("jobs", 3.0, 1000.0)


@pytest.mark.usefixtures("database")
def test_zero_rows_counted_are_zero(path, poll):
    assert _source(path, "select count(*) from jobs where state = 'gone'").read(poll()).value == 0.0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select state from jobs where state = 'gone'", "no data: the query gives no row"),
        ("select sum(length(state)) from jobs where state = 'gone'", "no data: the query gives NULL; write coalesce(..., 0) if that means zero"),
        ("select state from jobs limit 1", "the query gives 'waiting', which is text, not a number"),
        ("select 1 from jobs", "the query gives several rows, not one; aggregate them, as count(*) or sum(...) does"),
        ("select 1, 2", "the query gives 2 columns, not one"),
        ("select 9e999", "the value is inf"),
        ("select cast(x'ff' as text)", "jobs.db: Could not decode to UTF-8 column 'cast(x'ff' as text)' with text '\ufffd'"),
        ("-- nothing", "the query gives no rows at all; write a select"),
        ("select count(*) from jbos", "jobs.db: no such table: jbos"),
        ("select 1; select 2", "jobs.db: You can only execute one statement at a time."),
        ("delete from jobs", "jobs.db: attempt to write a readonly database"),
    ],
)
@pytest.mark.usefixtures("database")
def test_an_answer_that_is_no_number_is_named(path, cause, query, said):
    assert cause(_source(path, query)) == said


def test_an_absent_database_is_not_created(path, cause):
    assert cause(_source(path)) == f"no database {path}"
    assert not path.exists()


@pytest.mark.parametrize("query", ["attach 'other.db' as other", "vacuum into 'other.db'"])
@pytest.mark.usefixtures("database")
def test_a_query_creates_no_other_file(path, cause, query, monkeypatch):
    monkeypatch.chdir(path.parent)
    assert cause(_source(path, query)) == "jobs.db: too many attached databases - max 0"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_and_a_pipe_are_no_databases(tmp_path, path, cause):
    os.mkfifo(path)
    assert cause(_source(path)) == f"{path} is not a file"
    assert cause(_source(tmp_path)) == f"{tmp_path} is not a file"


def test_garbage_is_no_database(path, cause):
    path.write_bytes(b"garbage" * 1000)
    assert cause(_source(path)) == "jobs.db: file is not a database"


@pytest.mark.usefixtures("database")
def test_a_query_that_does_not_end_is_interrupted(path, cause):
    began = time.monotonic()
    assert cause(_source(path, _FOR_EVER), timeout_seconds=0.3) == "no answer within 0.3 s"
    assert time.monotonic() - began < 10


def test_a_locked_database_is_no_data(database, path, cause):
    database.execute("begin exclusive")
    began = time.monotonic()
    assert cause(_source(path), timeout_seconds=0.3) == "jobs.db: database is locked"
    assert time.monotonic() - began < 10


def test_a_wal_database_is_read_while_another_process_writes(database, path, poll):
    database.execute("pragma journal_mode = wal")
    with subprocess.Popen([sys.executable, "-c", _WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        assert _source(path).read(poll()).value == 3.0
        writer.communicate()
    database.execute("insert into jobs values ('waiting')")
    assert _source(path).read(poll()).value == 4.0


def test_a_wal_database_nobody_has_open_is_read(database, path, poll):
    database.execute("pragma journal_mode = wal")
    database.close()
    assert _source(path).read(poll()).value == 3.0


def test_a_name_with_odd_characters_is_read(tmp_path, poll):
    path = tmp_path / "a b%20?#.db"
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("create table jobs (state text)")
    assert _source(path).read(poll()).value == 0.0


@pytest.mark.usefixtures("database")
def test_a_relative_path_is_taken_from_a_folder(tmp_path, poll):
    located = SqlSource(url="sqlite:///jobs.db", query=_COUNT).located(tmp_path)
    assert located.path == tmp_path / "jobs.db"
    assert located.read(poll()).value == 3.0


def test_an_absolute_path_stays(tmp_path, path):
    assert _source(path).located(tmp_path / "elsewhere") == _source(path)


@pytest.mark.parametrize("url", ["postgres://me:hidden@host/jobs", "jobs.db", "sqlite://jobs.db", "sqlite:///", "sqlite:///:memory:"])
def test_another_kind_of_database_is_refused(url):
    with pytest.raises(ValueError, match=r"sqlite:///relative.db and sqlite:////absolute.db are supported") as caught:
        SqlSource(url=url, query=_COUNT)
    assert "hidden" not in str(caught.value)


def test_an_empty_query_is_refused():
    with pytest.raises(ValueError, match="query is empty"):
        SqlSource(url="sqlite:///jobs.db", query=" ")
