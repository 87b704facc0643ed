"""From the keys of the file to settings."""

import pytest

from autoscaler.decide.settings import SCALE_IN, SCALE_OUT, DirectionLimits, Pause, RateLimit, WhenMissing
from autoscaler.model import Address

_FORMATION = "formation: {web: {maximum: 4}}\n"
_METRIC = "metrics: {jobs: {constant: {}}}\n"


@pytest.fixture
def the_type(load):
    """Load one process type by its keys, beside other keys of the file."""
    return lambda keys, rest="": load(f"{rest}\n{_METRIC}\nformation: {{web: {{maximum: 4, {keys}}}}}").types[0]


def test_everything_but_the_maximum_has_a_default(load):
    settings = load(_FORMATION)
    assert settings.interval_seconds == 5.0
    assert settings.listen.address == Address("127.0.0.1", 9797)
    assert settings.backends["default"].procfile == "/srv/app/Procfile"
    assert settings.metrics == ()
    assert settings.warnings == ()


def test_type_has_the_defaults_of_the_model(load):
    (web,) = load(_FORMATION).types
    one = web.process_type
    assert (one.name, one.minimum, one.maximum, one.slots, one.interval_seconds) == ("web", 1, 4, 1, 5.0)
    assert (one.startup_seconds, one.stop_timeout_seconds, one.command, one.socket, one.listen, one.ready) == (
        None,
        10.0,
        None,
        "none",
        None,
        "lived",
    )
    assert (web.policies, web.combine, web.scale_out, web.scale_in, web.pause, web.backend) == ((), "max", SCALE_OUT, SCALE_IN, Pause(), "default")


def test_every_key_of_a_type_is_read(the_type):
    web = the_type("minimum: 2, slots: 3, startup: 4s, stop_timeout: 1m, command: run, environment: {A: b}, combine: sum", "interval: 2s")
    one = web.process_type
    assert (one.minimum, one.slots, one.startup_seconds, one.stop_timeout_seconds) == (2, 3, 4.0, 60.0)
    assert (one.command, one.environment, one.interval_seconds, web.combine) == ("run", {"A": "b"}, 2.0, "sum")


@pytest.mark.parametrize(
    ("keys", "socket", "listen", "ready"),
    [
        ("socket: port", "port", None, "port"),
        ("socket: port, ready: lived", "port", None, "lived"),
        ("socket: shared, listen: '127.0.0.1:80'", "shared", Address("127.0.0.1", 80), "lived"),
        ("ready: notify", "none", None, "notify"),
    ],
)
def test_readiness_follows_the_socket(the_type, keys, socket, listen, ready):
    one = the_type(keys).process_type
    assert (one.socket, one.listen, one.ready) == (socket, listen, ready)


@pytest.mark.parametrize(
    ("own", "defaults", "limits"),
    [
        ("scale_in: {cooldown: 10s}", "", DirectionLimits(300.0, 10.0, SCALE_IN.at_most)),
        ("scale_in: {cooldown: 10s}", "scale_in: {stabilization: 1m, cooldown: 5s}", DirectionLimits(60.0, 10.0, SCALE_IN.at_most)),
        ("", "scale_in: {at_most: []}", DirectionLimits(300.0, 0.0, ())),
        ("scale_in: {at_most: [1 per 1m], select: min}", "", DirectionLimits(300.0, 0.0, (RateLimit(1, "processes", 60.0),), "min")),
        ("scale_in: {stabilization: 0s}", "scale_in: {stabilization: 1m}", DirectionLimits(0.0, 0.0, SCALE_IN.at_most)),
    ],
)
def test_limits_are_merged_key_by_key(the_type, own, defaults, limits):
    assert the_type(own, f"defaults: {{{defaults}}}").scale_in == limits


def test_defaults_hold_for_every_type_that_does_not_say_otherwise(load):
    text = "defaults: {maximum: 7, slots: 2, environment: {A: a, B: b}}\nformation: {web: {}, worker: {slots: 3, environment: {B: c}}}"
    web, worker = (settings.process_type for settings in load(text).types)
    assert (web.maximum, web.slots, web.environment) == (7, 2, {"A": "a", "B": "b"})
    assert (worker.maximum, worker.slots, worker.environment) == (7, 3, {"A": "a", "B": "c"})


@pytest.mark.parametrize(
    ("keys", "pause"),
    [
        ("pause: true", Pause(scale_out=True, scale_in=True)),
        ("pause: false", Pause()),
        ("pause: until noon", Pause(scale_out=True, scale_in=True, reason="until noon")),
        ("pause_scale_in: true", Pause(scale_in=True)),
        ("pause_scale_out: slow start, pause_scale_in: backup", Pause(scale_out=True, scale_in=True, reason="slow start; backup")),
    ],
)
def test_pause_is_a_flag_or_a_reason(the_type, keys, pause):
    assert the_type(keys).pause == pause


@pytest.mark.parametrize(
    ("said", "when_missing"),
    [
        ("hold", WhenMissing()),
        ("{processes: 3}", WhenMissing("processes", 3)),
        ("{at_least: 0}", WhenMissing("at_least", 0)),
        ("{at_most: 0}", WhenMissing("at_most", 0)),
    ],
)
@pytest.mark.parametrize("place", ["wish: {{metric: jobs}}, when_missing: {0}", "wish: {{metric: jobs, when_missing: {0}}}"])
def test_when_missing_stands_beside_the_policy_or_in_it(the_type, said, when_missing, place):
    (named,) = the_type(f"policies: [{{{place.format(said)}}}]").policies
    assert named.when_missing == when_missing


def test_second_policy_of_a_kind_has_a_number(the_type):
    web = the_type("policies: [{wish: {metric: jobs}}, {wish: {metric: jobs}}, {wish: {metric: jobs}}]")
    assert [named.name for named in web.policies] == ["wish", "wish_2", "wish_3"]
    assert web.metrics == ("jobs",)


def test_metric_has_a_source_and_its_times(load):
    settings = load(_FORMATION + "metrics: {jobs: {constant: {value: 2}, every: 2s, max_age: 1m, timeout: 1s, window: 30s, alive: up}}")
    (metric,) = settings.metrics
    assert (metric.name, metric.source.value, metric.every_seconds, metric.alive) == ("jobs", 2.0, 2.0, "up")
    assert (metric.max_age, metric.timeout, metric.window_seconds) == (60.0, 1.0, 30.0)


def test_source_may_take_its_names_from_the_files_folder(load):
    (metric,) = load(_FORMATION + "metrics: {jobs: {of_processes: {}}}").metrics
    assert metric.source.folder == "/srv/app"


@pytest.mark.parametrize("text", ["backend: away", "backend: {away: {}}", "backend: {away: }"])
def test_backend_without_options_is_named_in_short(load, text):
    assert type(load(_FORMATION + text).backends["default"]).__name__ == "Away"


def test_several_backends_are_chosen_by_type(load):
    settings = load("backends: {here: {local: {}}, there: away}\nformation: {web: {maximum: 1, backend: there}, worker: {maximum: 1, backend: here}}")
    assert [(one.name, one.backend) for one in settings.types] == [("web", "there"), ("worker", "here")]
    assert sorted(settings.backends) == ["here", "there"]


def test_one_backend_of_backends_is_the_default(load):
    assert load(_FORMATION + "backends: {here: {local: {port: 1}}}").types[0].backend == "here"


def test_listen_holds_token_and_certificate(load):
    text = "listen: '0.0.0.0:0'\nlisten_token: ${TOKEN}\nlisten_certificate: a.pem\nlisten_key: /b.pem\n"
    listen = load(_FORMATION + text, TOKEN="s3cret").listen  # noqa: S106 - no real secret
    assert (listen.address.port, listen.token, str(listen.certificate), str(listen.key)) == (0, "s3cret", "/srv/app/a.pem", "/b.pem")
    assert "s3cret" not in repr(listen)


def test_listen_null_serves_nothing(load):
    assert load(_FORMATION + "listen: null").listen is None


def test_document_keeps_references_instead_of_secrets(load):
    settings = load(_FORMATION + "listen_token: ${TOKEN}", TOKEN="s3cret")  # noqa: S106 - no real secret
    assert settings.document["listen_token"] == "${TOKEN}"  # noqa: S105 - a reference
    assert "s3cret" not in repr(settings.document)


def test_numbers_may_come_from_the_environment(load):
    assert load("formation: {web: {maximum: '${MOST}', startup: '${START:-4s}'}}", MOST="8").types[0].process_type.maximum == 8


def test_warnings_name_their_place(load):
    settings = load("metrics:\n  jobs: {constant: {}}\n  idle: {constant: {}}\nformation:\n  web: {maximum: 1, policies: [{wish: {metric: jobs}}]}\n")
    assert settings.warnings == (
        "autoscaler.yaml:3:3: metrics.idle: no policy uses this metric; remove it, or name it in a policy",
        "autoscaler.yaml:5:33: formation.web.policies[0].wish: other is not given",
    )


def test_backend_that_no_type_uses_is_a_warning(load):
    settings = load("backends: {here: {local: {}}, there: away}\nformation: {web: {maximum: 1, backend: here}}")
    assert settings.warnings == ("autoscaler.yaml:1:31: backends.there: no process type uses this backend; remove it, or name it in a type",)
