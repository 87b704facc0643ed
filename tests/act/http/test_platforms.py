"""Drive three platforms by their examples: out, in, what runs and what does not yet."""

from dataclasses import replace

from autoscaler.model import Counts
from tests.platform_api import status


def test_scalingo_is_scaled_in_one_request_for_all_types(on_scalingo):
    driven = on_scalingo()
    driven.see()
    assert driven.scale(web=3, worker=2) == [None, None]
    assert [each.body for each in driven.platform.writes()] == [{"containers": [{"name": "web", "amount": 3}, {"name": "worker", "amount": 2}]}]
    assert driven.counts() == Counts(desired=3, running=3)
    assert [each.name for each in driven.see("worker").processes] == ["worker.1", "worker.2"]


def test_scalingo_containers_that_boot_are_starting(on_scalingo):
    driven = on_scalingo()
    driven.platform.change(web=3)
    driven.platform.formations["web"].states = ["running", "booting"]
    assert driven.counts() == Counts(desired=3, running=1, starting=2)


def test_a_state_without_a_meaning_is_unknown_and_said_so(on_scalingo):
    driven = on_scalingo()
    driven.platform.change(web=2)
    driven.platform.formations["web"].states = ["running", "hibernating"]
    assert driven.counts() == Counts(desired=2, running=1, unknown=1)
    assert driven.see().notes == ("1 of its processes: 'hibernating' is not under processes.states; add it",)


def test_processes_beyond_the_desired_number_are_no_capacity(on_scalingo):
    driven = on_scalingo()
    driven.platform.change(web=4)
    driven.platform.formations["web"].wanted = 1
    assert driven.counts() == Counts(desired=1, running=1, draining=3)
    assert [each.state for each in driven.see().processes] == ["running", "draining", "draining", "draining"]


def test_a_token_is_exchanged_once_and_again_when_it_is_not_accepted(on_scalingo):
    driven = on_scalingo()
    driven.see()
    driven.see()
    assert driven.platform.tokens == ["bearer-1"]
    driven.platform.tokens.append("somebody's")
    assert "answered 401 Unauthorized: unauthorized, asked to read /v1/apps/shop/" in driven.see()
    assert driven.counts() == Counts(desired=0)
    assert driven.platform.tokens[-1] == "bearer-3"


def test_a_token_is_exchanged_anew_when_its_time_is_over(on_scalingo):
    driven = on_scalingo(lambda plugin: replace(plugin, exchange=replace(plugin.exchange, every_seconds=0.0)))
    driven.see()
    driven.see()
    assert len(driven.platform.tokens) == 4


def test_an_exchange_that_is_refused_is_named(on_scalingo):
    driven = on_scalingo(lambda plugin: replace(plugin, exchange=replace(plugin.exchange, password="wrong")))  # noqa: S106 - a made-up one
    assert driven.see().startswith("exchange gave no token: 127.0.0.1:")
    assert driven.see().endswith("answered 401 Unauthorized")


def test_more_than_the_platform_runs_is_refused_in_its_words(on_scalingo):
    driven = on_scalingo()
    driven.see()
    (error,) = driven.scale(web=11)
    assert "422 Unprocessable" in error
    assert ": cannot have more than 10 containers of a type, asked to set web to 11; compare the templates" in error
    assert driven.counts() == Counts(desired=0)


def test_clever_cloud_has_an_application_a_type(on_clever_cloud):
    driven = on_clever_cloud()
    assert driven.counts() == Counts(desired=1, running=1)
    assert driven.scale(web=3, worker=2) == [None, None]
    bodies = {each.path.rpartition("/")[2]: each.body for each in driven.platform.writes()}
    assert bodies == {"app_75e1": {"minInstances": 3, "maxInstances": 3}, "app_0f2a": {"minInstances": 2, "maxInstances": 2}}
    driven.platform.formations["app_75e1"].states = ["UP", "UP", "DEPLOYING", "STOPPING", "DELETED"]
    assert driven.counts() == Counts(desired=3, running=2, starting=1, draining=1)


def test_clever_cloud_cannot_be_at_zero(on_clever_cloud):
    driven = on_clever_cloud()
    driven.see()
    (error,) = driven.scale(web=0)
    assert "answered 400 Bad Request: The scalability parameters are not valid, asked to set app_75e1 to 0" in error


def test_an_application_that_is_not_there_is_named(on_clever_cloud):
    driven = on_clever_cloud(lambda plugin: replace(plugin, names={"web": "app_gone", "worker": "app_0f2a"}))
    said = driven.see()
    assert said.endswith("answered 404 Not Found: The application does not exist, asked to read /app_gone; correct the path, or names")
    assert driven.counts("worker") == Counts(desired=1, running=1)


def test_in_house_counts_come_from_one_page_a_type(on_in_house):
    driven = on_in_house()
    driven.platform.change(web=5)
    driven.platform.formations["web"].states = ["ready", "ready", "starting", "draining", "failed"]
    assert driven.counts() == Counts(desired=5, running=2, starting=1, draining=1, failed=1)


def test_in_house_changes_carry_the_version_that_was_read_and_the_reason(on_in_house):
    driven = on_in_house()
    driven.see()
    assert driven.scale(worker=2) == [None]
    (write,) = driven.platform.writes()
    assert (write.path, write.headers["if-match"], write.body) == ("/api/formations/shop-worker", '"v1"', {"processes": 2, "reason": "busy"})


def test_a_change_that_does_not_touch_the_number_is_met_by_a_second_look(on_in_house):
    driven = on_in_house()
    driven.see()
    driven.platform.before_write = _once(lambda: driven.platform.change(web=0))
    assert driven.scale(web=3) == [None]
    assert (len(driven.platform.writes()), driven.platform.changes) == (2, [{"web": 3}])


def test_a_change_by_somebody_else_is_not_overwritten(on_in_house):
    driven = on_in_house()
    driven.see()
    driven.platform.before_write = _once(lambda: driven.platform.change(web=4))
    assert driven.scale(web=3) == ["somebody else set it from 0 to 4 meanwhile; decided again at the next tick"]
    assert (driven.counts().desired, driven.platform.changes) == (4, [])


def test_what_somebody_else_has_done_already_is_done(on_in_house):
    driven = on_in_house()
    driven.see()
    driven.platform.before_write = _once(lambda: driven.platform.change(web=3))
    assert driven.scale(web=3) == [None]
    assert driven.platform.changes == []


def test_nobody_is_chased_for_ever(on_in_house):
    driven = on_in_house()
    driven.see()
    driven.platform.before_write = lambda: driven.platform.change(web=0)
    assert driven.scale(web=3) == ["somebody else changes it at the same time, twice in a row; decided again at the next tick"]
    assert len(driven.platform.writes()) == 2


def test_a_key_that_a_server_repeats_is_not_repeated_here(on_in_house):
    driven = on_in_house(lambda plugin: replace(plugin, headers={"X-Api-Key": "mistyped-secret"}))
    said = driven.see()
    assert said.endswith("answered 403 Forbidden: the key *** may not do that, asked to read /formations/web; give headers the right to do that")
    assert "mistyped-secret" not in repr(driven.plugin)


def test_what_is_right_already_is_not_written(on_in_house):
    driven = on_in_house()
    driven.platform.change(web=3)
    driven.see()
    assert driven.scale(web=3) == [None]
    assert driven.platform.writes() == []


def test_a_secret_that_a_platform_repeats_of_a_write_is_blotted_out(on_in_house):
    def adapt(plugin):
        headers = {**plugin.write.headers, "Authorization": "Bearer secret-of-writes"}
        return replace(plugin, write=replace(plugin.write, headers=headers), busy=(423, 429))

    driven = on_in_house(adapt)
    driven.see()
    driven.platform.faults = [status(423, {"message": "secret-of-writes is locked out"})]
    assert driven.scale(web=3) == [None]
    assert driven.see().notes[0].startswith("the change to 3 waits: ")
    assert "secret-of-writes" not in driven.see().notes[0]


def _once(act):
    left = [act]
    return lambda: left.pop()() if left else None
