"""One controller runs a formation, and others may ask it what runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.local import formation_lock
from autoscaler.act.local.formation_json import read_formation, write_formation
from autoscaler.act.local.formation_lock import ask_formation, lock_formation
from autoscaler.model import Address, Change, Counts, Process, TypeFormation
from tests.local_formation import process_type

HOLD = """
import sys
from contextlib import ExitStack
from pathlib import Path
from autoscaler.act.local.formation_lock import lock_formation
with lock_formation(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Hold the formation of a Procfile from another process."""
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "Procfile"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()


def test_a_second_controller_is_refused_with_the_pid(holder, tmp_path):
    (tmp_path / "Procfile").touch()
    with pytest.raises(BackendError) as error:
        lock_formation(tmp_path / "Procfile")
    assert str(error.value) == (
        f"another autoscaler (pid {holder.pid}) already runs the formation of {tmp_path}/Procfile; end it first, or use another Procfile"
    )


def test_without_a_procfile_the_folder_is_named(holder, tmp_path):
    with pytest.raises(BackendError, match=f"pid {holder.pid}.*formation of {tmp_path}; end it first, or use another folder"):
        lock_formation(tmp_path / "Procfile")


def test_the_lock_goes_with_its_holder(holder, tmp_path):
    holder.kill()
    holder.wait()
    lock_formation(tmp_path / "Procfile").close()


def test_a_holder_of_another_user_is_named_as_such(holder, tmp_path, monkeypatch):
    uid = os.getuid()
    monkeypatch.setattr(formation_lock, "read_peer", lambda _: formation_lock.Peer(holder.pid, uid + 1))
    for touch in (lock_formation, ask_formation):
        with pytest.raises(BackendError, match=f"another user \\(uid {uid + 1}, pid {holder.pid}\\)"):
            touch(tmp_path / "Procfile")


def test_two_backends_of_one_program_cannot_share_a_formation(tmp_path):
    with lock_formation(tmp_path / "Procfile"), pytest.raises(BackendError, match="give each backend its own procfile"):
        lock_formation(tmp_path / "Procfile")


def test_a_name_that_nobody_answers_on_is_an_error(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(formation_lock._name(tmp_path / "Procfile"))
        with pytest.raises(BackendError, match="held by a program that does not answer"):
            lock_formation(tmp_path / "Procfile")


def test_a_stranger_is_told_nothing(stage, monkeypatch):
    stage.run("exec sleep 60")
    monkeypatch.setattr("autoscaler.act.local.desk.may_ask", lambda _: False)
    assert ask_formation(stage.folder / "Procfile") == b""


def test_a_holder_that_says_nothing_is_an_error(holder, tmp_path, monkeypatch):
    monkeypatch.setattr(formation_lock, "_ANSWER_SECONDS", 0.05)
    with pytest.raises(BackendError, match=f"autoscaler \\(pid {holder.pid}\\).* does not answer"):
        ask_formation(tmp_path / "Procfile")


def test_an_observer_sees_what_another_controller_runs(stage):
    stage.run("exec sleep 60", 2)
    stage.wait_running(2)
    observer = stage.plugin.observer((process_type(), process_type("new")))
    seen = observer.observe().types
    assert seen["web"] == stage.see()
    assert seen["new"] == TypeFormation(Counts(desired=0))
    observer.close(Event())


def test_an_observer_of_nothing_sees_zeros(stage):
    observer = stage.plugin.observer((process_type(),))
    assert observer.observe().types == {"web": TypeFormation(Counts(desired=0))}


def test_an_observer_changes_nothing(stage):
    observer = stage.plugin.observer((process_type(),))
    assert observer.scale((Change("web", 0, 1, ""),))[0].error == "this connection only observes"


def test_a_client_that_does_not_read_holds_up_nobody(stage):
    types = [process_type(f"t{number}" + "x" * 4000, maximum=1) for number in range(200)]
    stage.connect(*types)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.connect(formation_lock._name(stage.folder / "Procfile"))
        assert len(stage.plugin.observer(tuple(types)).observe().types) == 200
        stage.scale(**{types[0].name: 1})
        stage.wait_running(1, types[0].name)


def test_a_formation_survives_the_way_through_json():
    processes = (Process("web.1", "running", Address("::1", 1)), Process("web.2", "failed"))
    whole = TypeFormation(Counts(desired=2, failed=1), processes, 1.5, is_crash_looping=True, starts=3, drains_killed=1, notes=("a note",))
    whole = replace(whole, is_called=True, free_memory_bytes=1 << 40)
    assert read_formation(write_formation({"web": whole})) == {"web": whole}


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'{"web": 1}', b'{"web": {"counts": {"desired": 1, "flying": 2}, "processes": [], "notes": []}}'])
def test_an_answer_of_another_version_is_named(text):
    with pytest.raises(BackendError, match="use the same version"):
        read_formation(text)


def test_a_formation_is_named_by_its_whole_path():
    names = {formation_lock._name(Path(path)) for path in ("/a/Procfile", "/b/Procfile", "/a/Procfile.dev")}
    assert len(names) == 3


def test_who_finds_the_queue_full_asks_again(tmp_path):
    with lock_formation(tmp_path / "Procfile") as lock, ExitStack() as clients:
        for _ in range(9):
            client = clients.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.connect(lock.getsockname())
        answers = []
        asking = Thread(target=lambda: answers.append(ask_formation(tmp_path / "Procfile")))
        asking.start()
        lock.settimeout(20)
        for _ in range(10):
            lock.accept()[0].close()
        asking.join()
    assert answers == [b""]
