"""The operator's pauses, kept in a file of the runtime directory."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from autoscaler.decide.settings import Pause
from autoscaler.pauses import OperatorPause, Pauses, PausesError, find_pauses, runtime_directory

FORMATION = "/srv/app/autoscaler.yaml"
BOTH = OperatorPause(scale_out=True, scale_in=True, reason="migration")
NOBODY = 65534


@pytest.fixture
def pauses(tmp_path: Path) -> Pauses:
    return Pauses(tmp_path / "run", FORMATION)


def test_nothing_is_paused_without_a_file(pauses: Pauses) -> None:
    assert pauses.read(0.0) == {}


def test_a_pause_is_seen_by_another_reader(pauses: Pauses, tmp_path: Path) -> None:
    reader = Pauses(tmp_path / "run", FORMATION)
    before = reader.read(0.0)

    pauses.pause("web", BOTH, 0.0)

    assert before == {}
    assert reader.read(0.0) == {"web": Pause(scale_out=True, scale_in=True, reason="migration")}


def test_one_direction_can_be_paused_alone(pauses: Pauses) -> None:
    pauses.pause("web", OperatorPause(scale_out=False, scale_in=True), 0.0)

    assert pauses.read(0.0) == {"web": Pause(scale_in=True)}


def test_a_later_pause_replaces_an_earlier_one(pauses: Pauses) -> None:
    pauses.pause("web", BOTH, 0.0)

    pauses.pause("web", OperatorPause(scale_out=True, scale_in=False), 0.0)

    assert pauses.read(0.0) == {"web": Pause(scale_out=True)}


def test_a_pause_ends_at_its_wall_time(pauses: Pauses) -> None:
    pauses.pause("web", OperatorPause(scale_out=True, scale_in=True, until=100.0), 0.0)

    assert set(pauses.read(99.9)) == {"web"}
    assert pauses.read(100.0) == {}


def test_ends_are_told_beside_the_pauses(pauses: Pauses) -> None:
    entry = OperatorPause(scale_out=True, scale_in=True, until=100.0)
    pauses.pause("web", entry, 0.0)

    assert pauses.entries(0.0) == {"web": entry}


def test_expired_pauses_leave_the_file_with_the_next_change(pauses: Pauses) -> None:
    pauses.pause("web", OperatorPause(scale_out=True, scale_in=True, until=100.0), 0.0)

    pauses.pause("worker", BOTH, 200.0)

    assert "web" not in pauses.path.read_text()


def test_resume_ends_one_pause_and_says_whether_there_was_one(pauses: Pauses) -> None:
    pauses.pause("web", BOTH, 0.0)
    pauses.pause("worker", BOTH, 0.0)

    answers = [pauses.resume("web", 0.0), pauses.resume("web", 0.0)]

    assert answers == [True, False]
    assert set(pauses.read(0.0)) == {"worker"}


def test_resume_without_a_file_leaves_nothing_behind(pauses: Pauses, tmp_path: Path) -> None:
    assert not pauses.resume("web", 0.0)
    assert list(tmp_path.iterdir()) == []


def test_a_removed_file_ends_every_pause(pauses: Pauses) -> None:
    pauses.pause("web", BOTH, 0.0)
    before = pauses.read(0.0)

    pauses.path.unlink()

    assert before != {}
    assert pauses.read(0.0) == {}


def test_formations_do_not_share_their_pauses(pauses: Pauses, tmp_path: Path) -> None:
    pauses.pause("web", BOTH, 0.0)

    assert Pauses(tmp_path / "run", "/srv/other/autoscaler.yaml").read(0.0) == {}


def test_pauses_written_at_once_are_all_kept(pauses: Pauses, tmp_path: Path) -> None:
    names = [f"type{number}" for number in range(20)]
    writers = [threading.Thread(target=Pauses(tmp_path / "run", FORMATION).pause, args=(name, BOTH, 0.0)) for name in names]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert set(pauses.read(0.0)) == set(names)


def test_only_the_pause_file_stays_in_the_directory(pauses: Pauses) -> None:
    pauses.pause("web", BOTH, 0.0)

    assert list(pauses.path.parent.iterdir()) == [pauses.path]
    assert pauses.path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"pauses": {"web": 1}}', '{"pauses": {"web": {}}}', '{"pauses": [1]}']
    + ['{"pauses": {"web": {"scale_out": %s, "scale_in": true, "reason": "", "until": %s}}}' % bad for bad in (("1", "null"), ("true", '"soon"'))],  # noqa: UP031 - braces
)
def test_a_file_that_is_no_pauses_names_itself_and_the_fix(pauses: Pauses, text: str) -> None:
    pauses.path.parent.mkdir()
    pauses.path.write_text(text)

    with pytest.raises(PausesError, match=f"rm {pauses.path}"):
        pauses.read(0.0)


def test_a_spoilt_file_is_told_once_and_keeps_the_last_pauses(pauses: Pauses) -> None:
    pauses.pause("web", BOTH, 0.0)
    good = pauses.read(0.0)
    pauses.path.write_text("spoilt")

    with pytest.raises(PausesError):
        pauses.read(0.0)

    assert pauses.read(0.0) == good != {}


def test_a_spoilt_file_is_not_overwritten_by_a_pause(pauses: Pauses) -> None:
    pauses.path.parent.mkdir()
    pauses.path.write_text("spoilt")

    with pytest.raises(PausesError, match="remove the file"):
        pauses.pause("web", BOTH, 0.0)

    assert pauses.path.read_text() == "spoilt"


def test_a_directory_in_the_place_of_the_file_is_named(pauses: Pauses) -> None:
    pauses.path.mkdir(parents=True)

    with pytest.raises(PausesError, match="Is a directory"):
        pauses.read(0.0)
    with pytest.raises(PausesError, match="Is a directory"):
        pauses.pause("web", BOTH, 0.0)


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    pauses = Pauses(tmp_path / "run" / "deeper", FORMATION)

    with pytest.raises(PausesError, match="RUNTIME_DIRECTORY"):
        pauses.pause("web", BOTH, 0.0)
    with pytest.raises(PausesError, match="Not a directory"):
        pauses.read(0.0)
    assert not pauses.is_watched()


def test_a_write_that_fails_leaves_no_half_file(pauses: Pauses, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(PausesError, match="No space left"):
        pauses.pause("web", BOTH, 0.0)
    assert list(pauses.path.parent.iterdir()) == []


def test_pauses_are_watched_while_a_controller_says_so(pauses: Pauses, tmp_path: Path) -> None:
    operator = Pauses(tmp_path / "run", FORMATION)

    with pauses.watched():
        during = operator.is_watched()

    assert during
    assert not operator.is_watched()


def test_two_controllers_may_watch_at_once(pauses: Pauses, tmp_path: Path) -> None:
    shadow = Pauses(tmp_path / "run", FORMATION)

    with pauses.watched():
        with shadow.watched():
            pass
        assert shadow.is_watched()


def test_a_presence_that_cannot_be_kept_is_told(pauses: Pauses) -> None:
    pauses.path.parent.mkdir()
    pauses.path.with_name(pauses.path.name.replace(".pauses.json", ".controller")).mkdir()

    with pytest.raises(PausesError, match="Is a directory"), pauses.watched():
        pass


def test_the_service_directory_comes_first(tmp_path: Path) -> None:
    environment = {"RUNTIME_DIRECTORY": f"{tmp_path}/a:{tmp_path}/b", "XDG_RUNTIME_DIR": str(tmp_path)}

    assert runtime_directory(environment) == tmp_path / "a"


def test_the_session_directory_comes_second(tmp_path: Path) -> None:
    assert runtime_directory({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "autoscaler"


@pytest.mark.parametrize("session", ["relative", "/proc/self/none"])
def test_a_session_directory_that_is_not_ours_is_passed_over(session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert runtime_directory({"XDG_RUNTIME_DIR": session}) == Path("/run/autoscaler")


def test_other_users_have_a_folder_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)

    assert runtime_directory({}) == Path(f"/tmp/autoscaler-{NOBODY}")  # noqa: S108 - the documented place


def test_a_folder_that_somebody_else_made_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    user = 4_000_000_000 + os.getpid()
    monkeypatch.setattr(os, "geteuid", lambda: user)
    folder = Path(f"/tmp/autoscaler-{user}")  # noqa: S108 - the documented place
    folder.mkdir(mode=0o700)
    try:
        with pytest.raises(PausesError, match="not a folder of this user alone"):
            runtime_directory({})
    finally:
        folder.rmdir()


def test_an_operator_finds_the_controller_in_another_directory(tmp_path: Path) -> None:
    environment = {"RUNTIME_DIRECTORY": str(tmp_path / "mine"), "XDG_RUNTIME_DIR": str(tmp_path)}
    controller = Pauses(tmp_path / "autoscaler", FORMATION)

    with controller.watched():
        found = find_pauses(environment, FORMATION)

    assert found.path == controller.path
    assert find_pauses(environment, FORMATION).path.parent == tmp_path / "mine"
