"""Hold the backend against a made-up Heroku that works."""

import math
from threading import Event

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.heroku import Heroku
from autoscaler.model import Counts, ProcessType
from tests.heroku_api import APP, TOKEN, Dyno
from tests.remote_formation import types


def test_the_formation_is_seen_by_two_calls(app, heroku):
    heroku.set("web", 2)
    assert app.see().counts.desired == 2
    assert sorted(heroku.lines()) == ["GET /apps/example/dynos", "GET /apps/example/formation"]


def test_all_types_are_changed_by_one_call(app, heroku):
    app.observe()
    assert app.scale(web=3, job=2) == {"web": None, "job": None}
    assert heroku.scaled() == [{"updates": [{"type": "web", "quantity": 3}, {"type": "job", "quantity": 2}]}]
    app.wait(desired=3, running=3)
    app.wait("job", desired=2, running=2)


def test_a_count_that_is_already_told_is_not_told_again(app, heroku):
    heroku.set("web", 2)
    app.observe()
    assert app.scale(web=2) == {"web": None}
    assert heroku.scaled() == []


def test_a_dyno_starts_before_it_runs(app, heroku):
    heroku.start_seconds = math.inf
    app.scale(web=2)
    assert app.see().counts == Counts(desired=2, starting=2)
    for dyno in heroku.dynos:
        dyno.up_at = 0
    assert app.wait(running=2).counts == Counts(desired=2, running=2)
    assert {each.name: each.state for each in app.see().processes} == {"web.1": "running", "web.2": "running"}


def test_a_dyno_that_is_not_listed_yet_is_starting(app, heroku):
    heroku.set("web", 3)
    heroku.dynos = [dyno for dyno in heroku.dynos if dyno.name != "web.2"]
    seen = app.wait(running=2)
    assert seen.counts == Counts(desired=3, running=2, starting=1)
    assert [each.name for each in seen.processes if each.state == "starting"] == ["web.2"]


def test_a_dyno_that_is_scaled_in_drains(app, heroku):
    heroku.drain_seconds = math.inf
    heroku.set("web", 3)
    app.wait(running=3)
    app.scale(web=1)
    assert app.see().counts == Counts(desired=1, running=1, draining=2)


def test_crashed_dynos_have_failed_and_more_of_them_than_run_are_a_crash_loop(app, heroku):
    heroku.set("web", 3)
    app.wait(running=3)
    for dyno in heroku.dynos[:2]:
        dyno.state = "crashed"
    seen = app.see()
    assert (seen.counts, seen.is_crash_looping) == (Counts(desired=3, running=1, failed=2), True)


def test_a_sleeping_dyno_counts_as_running_and_is_told_of(app, heroku):
    heroku.set("web", 1)
    app.wait(running=1)
    heroku.dynos[0].state = "idle"
    seen = app.see()
    assert (seen.counts.running, seen.notes) == (1, ("1 of the running web sleep until a request wakes them",))


def test_a_state_that_nobody_knows_is_unknown(app, heroku):
    heroku.set("web", 1)
    app.wait(running=1)
    heroku.dynos[0].state = "dreaming"
    assert app.see().counts == Counts(desired=1, unknown=1)


def test_dynos_that_are_not_of_the_formation_do_not_count(app, heroku):
    heroku.dynos += [Dyno("run.1234", "run", "up"), Dyno("release.1", "release", "up")]
    assert app.see().counts == Counts(desired=0)


def test_dynos_without_numbers_are_counted_by_their_state(app, heroku):
    heroku.set("web", 2)
    heroku.dynos = [Dyno("web-12a34bcd56-7efgh", "web", "up"), Dyno("web-12a34bcd56-8ijkl", "web", "starting", up_at=math.inf)]
    assert app.see().counts == Counts(desired=2, running=1, starting=1)


def test_a_long_list_is_read_page_by_page(app, heroku):
    heroku.page = 3
    heroku.set("web", 8)
    app.wait(running=8)
    assert heroku.lines().count("GET /apps/example/dynos") >= 3


def test_a_process_type_may_have_another_name_there(app, heroku):
    app.set(names={"web": "job"}).connect("web")
    app.scale(web=2)
    assert app.wait(running=2).counts.desired == heroku.entries["job"].quantity == 2


def test_somebody_elses_change_is_seen(app, heroku):
    app.scale(web=2)
    heroku.set("web", 5)
    assert app.wait(running=5).counts.desired == 5


def test_a_reload_with_the_same_keys_keeps_the_connection(app):
    before = app.connect().backend
    assert app.connect(maximum=7).backend is before
    assert app.set(reserve=7).connect().backend is not before
    before.close(Event())


# The budget of calls


def test_a_budget_that_is_low_is_told_of_in_steps(app, heroku):
    for left, said in ((1012, None), (812, 800), (760, 800), (705, 800), (690, 700)):
        heroku.remaining = left
        assert app.see().notes == ((f"API budget: about {said} of 4,500 calls left, refilled 75 a minute",) if said else ())


def test_a_budget_that_hovers_at_a_step_is_told_once(app, heroku):
    notes = set()
    for left in (752, 754, 749, 753, 748, 790, 710):
        heroku.remaining = left
        notes |= set(app.see().notes)
    assert notes == {"API budget: about 800 of 4,500 calls left, refilled 75 a minute"}


def test_a_budget_that_is_well_filled_is_told_to_a_check_only(app):
    assert app.see().notes == ()
    checking = app.plugin.observer(types())
    assert checking.observe().types["web"].notes == ("API budget: about 4,500 of 4,500 calls left, refilled 75 a minute",)
    checking.close(Event())


def test_a_short_budget_is_left_to_people(app, heroku):
    heroku.remaining = 90
    app.observe()
    calls = len(heroku.asked)
    heroku.set("web", 4)
    assert app.see().counts.desired == 0
    assert "Heroku is asked once a minute until there are 100" in app.see().notes[0]
    assert len(heroku.asked) == calls


def test_a_short_budget_does_not_hold_a_change(app, heroku):
    heroku.remaining = 90
    app.observe()
    assert app.scale(web=2) == {"web": None}
    assert app.see().counts.desired == 2


# The configuration


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"app": ""}, "app is empty"),
        ({"app": APP, "url": "api.heroku.com"}, "url is not an http or https URL"),
        ({"app": APP, "token": "a b"}, "token is empty or holds a space"),
        ({"app": APP, "token": "a", "token_file": "b"}, "exclude each other"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(keys, words):
    with pytest.raises(ValueError, match=words):
        Heroku(**keys)


def test_a_backend_without_a_token_says_where_to_put_one(monkeypatch):
    monkeypatch.delenv("HEROKU_API_KEY", raising=False)
    with pytest.raises(BackendError, match="set HEROKU_API_KEY"):
        Heroku(app=APP).connect(types(), None)


def test_the_token_comes_from_the_environment(app, monkeypatch):
    monkeypatch.setenv("HEROKU_API_KEY", TOKEN)
    assert app.set(token=None).see().counts == Counts(desired=0)


def test_the_token_file_is_read_again_for_each_call(app, tmp_path):
    path = tmp_path / "token"
    path.write_text("old\n")
    assert "Invalid credentials" in app.set(token=None, token_file=str(path)).error()
    path.write_text(f"{TOKEN}\n")
    assert app.see().counts == Counts(desired=0)


def test_a_token_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BackendError, match=r"token_file: .*absent cannot be read: No such file"):
        Heroku(app=APP, token_file=str(tmp_path / "absent")).connect(types(), None)


def test_mistakes_name_types_that_heroku_cannot_have():
    plugin = Heroku(app=APP, token=TOKEN, names={"web": "a b", "job": "release"})
    found = plugin.mistakes(types("web", "job", "worker"))
    assert [name for name, _ in found] == ["web", "job"]


def test_mistakes_name_keys_that_mean_nothing_there():
    process_type = ProcessType(name="web", minimum=0, maximum=1, command="serve")
    assert "command is not for Heroku" in Heroku(app=APP, token=TOKEN).mistakes((process_type,))[0][1]


def test_a_token_on_an_open_road_is_warned_of():
    assert "write https://" in Heroku(app=APP, token=TOKEN, url="http://heroku.example").warnings()[0]
    assert Heroku(app=APP, token=TOKEN).warnings() == ()


def test_the_token_is_in_no_text_of_the_backend(app):
    assert TOKEN not in repr(app.plugin)
