"""The process table tells whose descendant a process is."""

from __future__ import annotations

import os
import subprocess

from autoscaler.act.local.environment import MARKER
from autoscaler.act.local.process_table import Ancestry, ProcessEntry, read_marker, read_process, read_processes

ME = 10


def owners(*entries: ProcessEntry, sessions: dict[int, int] | None = None) -> dict[int, int]:
    table = {entry.pid: entry for entry in entries}
    return Ancestry(table, ME, sessions or {}, lambda _: None).find_owners()


def entry(pid: int, parent: int, session: int, state: str = "S") -> ProcessEntry:
    return ProcessEntry(pid, state, parent, session, session)


def test_members_of_a_session_belong_to_its_run():
    assert owners(entry(ME, 1, ME), entry(20, ME, 20), entry(21, 20, 20), entry(22, 1, 20), sessions={20: 5}) == {20: 5, 21: 5, 22: 5}


def test_a_child_in_a_session_of_its_own_belongs_to_its_parents_run():
    assert owners(entry(20, ME, 20), entry(30, 20, 30), entry(31, 30, 31), sessions={20: 5}) == {20: 5, 30: 5, 31: 5}


def test_strangers_belong_to_nobody():
    assert owners(entry(1, 0, 1), entry(40, 1, 40), entry(ME, 40, ME), entry(50, ME, 50), entry(51, 50, 51)) == {}


def test_a_circle_of_parents_ends():
    assert owners(entry(60, 61, 60), entry(61, 60, 61)) == {}


def test_an_orphan_is_recognised_by_its_marker():
    with subprocess.Popen(["sleep", "60"], env={MARKER: "t/7/web.1"}, start_new_session=True) as child:
        marks = Ancestry(read_processes(), os.getpid(), {}, lambda pid: 7 if read_marker(pid) == "t/7/web.1" else None)
        assert marks.find_owners().get(child.pid) == 7
        child.kill()


def test_a_zombie_is_not_alive_and_has_no_marker():
    with subprocess.Popen(["true"], env={MARKER: "x"}) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not read_process(child.pid).is_alive
        assert read_marker(child.pid) == ""
    assert read_process(child.pid) is None
    assert read_marker(child.pid) == ""


def test_a_name_with_parentheses_does_not_confuse(tmp_path):
    program = tmp_path / "a) S 1 (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as child:
        assert read_process(child.pid).parent == os.getpid()
        child.kill()
