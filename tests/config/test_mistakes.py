"""Every mistake that the keys of a file can hold, in words that say the fix."""

from dataclasses import dataclass

import pytest

from autoscaler.act.dry_run import DryRun
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.loading import load_text
from autoscaler.config.plugins import BACKENDS, SOURCES, Plugin, Registry

_TYPE = "formation:\n  web: {{maximum: 4, {0}}}\n"
_ONE_STAND_IN = "say one of processes, at_least and at_most; write {processes: 2}, {at_least: 2} or {at_most: 2}"
_METRICS = "metrics: {jobs: {constant: {}}, pages: {of_processes: {process_type: web}}, any: {of_processes: {}}}\n"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("minimum: 9, maximum: 4", "formation.web.minimum: 9 is above maximum 4; lower one of them"),
        ("minimum: 9", "formation.web.maximum: missing; add maximum, the most processes that may ever run"),
        ("maximum: ", "formation.web.maximum: missing; add maximum, the most processes that may ever run"),
        ("maximum: 0", "formation.web.maximum: 0 is below 1; write at least 1"),
        ("maximum: 4, minimum: -1", "formation.web.minimum: -1 is below 0; write at least 0"),
        ("maximum: 4, slots: 0", "formation.web.slots: 0 is below 1; write at least 1"),
        ("maximum: 4, mininum: 1", "formation.web.mininum: unknown key; did you mean minimum?"),
        ("maximum: 4, socket: shared", "formation.web.listen: missing; a shared socket needs an address, such as listen: 127.0.0.1:8000"),
        (
            "maximum: 4, listen: '127.0.0.1:80'",
            "formation.web.listen: only a shared socket has an address; add socket: shared, or remove listen: 127.0.0.1:80",
        ),
        ("maximum: 4, pause: no", "formation.web.pause: 'no' is text and would be taken for a reason; write true, false, or a reason"),
        ("maximum: 4, backend: vm", "formation.web.backend: there is no choice; remove it, or name several backends under `backends:`"),
        ("maximum: 4, policies: {}", "formation.web.policies: this is a mapping, not a list; write it in [ ], or one item a line after `- `"),
        (
            "maximum: 4, policies: [wish]",
            "formation.web.policies[0]: 'wish' is text, not a mapping; write one policy with its keys, such as `wish: {...}`",
        ),
        ("maximum: 4, policies: [{}]", "formation.web.policies[0]: names no policy; add one of wish"),
        ("maximum: 4, policies: [{wihs: {}}]", "formation.web.policies[0].wihs: unknown policy; did you mean wish? installed are wish"),
        ("maximum: 4, scale_in: {select: most}", "formation.web.scale_in.select: 'most' is not one of max, min, disabled; write one of them"),
        ("maximum: 4, scale_in: {cooldown_seconds: 5s}", "formation.web.scale_in.cooldown_seconds: unknown key; did you mean cooldown?"),
        (
            "maximum: 4, scale_in: {at_most: 4 per 5s}",
            "formation.web.scale_in.at_most: '4 per 5s' is text, not a list; write it in [ ], or one item a line after `- `",
        ),
    ],
)
def test_mistake_in_a_type_says_the_fix(type_mistake, keys, sentence):
    assert type_mistake(keys) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("interval: 50ms", "2:11: interval: '50ms' is below 100ms; write at least 100ms"),
        ("intervall: 5s", "2:1: intervall: unknown key; did you mean interval?"),
        ("formation: {}", "1:12: formation: missing; name at least one process type under `formation:`, such as `web: {maximum: 4}`"),
        ("interval: 5s\nformation:", "1:1: formation: missing; name at least one process type under `formation:`, such as `web: {maximum: 4}`"),
        ("formation: [web]", "1:12: formation: this is a list, not a mapping; write a name for each process type, with its keys below it"),
        ("formation: {web.1: {maximum: 1}}", "1:13: formation.web.1: 'web.1' is no name of a process type; use letters, digits, _ and - only"),
        (
            "formation: {web: 4}",
            (
                "1:18: formation.web: 4 is a number, not a mapping; write the keys minimum, maximum, slots, startup, "
                "stop_timeout, socket, ready, environment, combine, scale_out, scale_in, backend, memory, schedule, futility, priority, "
                "weight, command, listen, singleton, policies, pause, pause_scale_out, pause_scale_in with their values"
            ),
        ),
        ("defaults: {minimum: 9}", "1:28: formation.web.maximum: 4 is below minimum 9 of the defaults; raise it, or give the type a minimum"),
        (
            "defaults: {policies: []}",
            (
                "2:12: defaults.policies: unknown key; use one of minimum, maximum, slots, startup, stop_timeout, socket, "
                "ready, environment, combine, scale_out, scale_in, backend, memory, schedule, futility, priority, weight"
            ),
        ),
        ("backend: {}", "2:1: backend: names no backend; add one of away, local"),
        ("backend: locl", "2:10: backend: 'locl' is no backend; did you mean local?"),
        ("backend: 5", "2:10: backend: 5 is a number, not a mapping; write one backend with its keys, such as `away: {...}`"),
        ("backend: {local: {}, away: {}}", "2:22: backend.away: stands beside local; keep one backend, and give the other an entry of its own"),
        ("backend: away\nbackends: {a: away}", "2:1: backend: stands beside backends; keep one of the two"),
        ("backends: [away]", "2:11: backends: this is a list, not a mapping; write a name for each backend, as in `vm: {local: {}}`"),
        ("backends: {a: away, b: away}", "1:13: formation.web: says no backend, and there are a, b; add one of them as `backend:`"),
        ("metrics: [jobs]", "2:10: metrics: this is a list, not a mapping; write a name for each metric, with its source below it"),
        ("metrics: {jobs: 5}", "2:17: metrics.jobs: 5 is a number, not a mapping; write one source with its keys, such as `constant: {...}`"),
        ("metrics: {jobs: {every: 5s}}", "2:11: metrics.jobs: names no source; add one of constant, of_processes"),
        ("metrics: {jobs: {constant: {}, evry: 5s}}", "2:32: metrics.jobs.evry: unknown key; did you mean every?"),
        ("metrics: {jobs: {constant: {}, every: 1ms}}", "2:39: metrics.jobs.every: '1ms' is below 10ms; write at least 10ms"),
        ("metrics: {jobs: {constant: {value: 13}}}", "2:18: metrics.jobs.constant: 13 brings no luck; write 12"),
        (
            "metrics: {jobs: {of_processes: {process_type: web}, alive: up}}",
            "2:60: metrics.jobs.alive: of_processes cannot ask whether an exporter is alive; remove the key",
        ),
        (
            "metrics: {jobs: {constant: {}, every: 1m, max_age: 30s}}",
            "2:52: metrics.jobs.max_age: 30s is below every 1m, so that each reading would go missing; raise it above 1m",
        ),
        (
            "metrics: {jobs: {of_processes: {process_type: wbe}}}",
            "2:47: metrics.jobs.of_processes.process_type: 'wbe' is not in the formation; did you mean web?",
        ),
        (
            "listen: 0.0.0.0:80",
            (
                "2:9: listen: 0.0.0.0:80 is not loopback, so that others can reach it; add listen_token, or listen_certificate "
                "and listen_key, or listen on 127.0.0.1"
            ),
        ),
        (
            "listen: 'example.org:80'",
            (
                "2:9: listen: example.org:80 is not loopback, so that others can reach it; add listen_token, or "
                "listen_certificate and listen_key, or listen on 127.0.0.1"
            ),
        ),
        ("listen_key: a.pem", "2:1: listen_key: stands without listen_certificate; add it, TLS needs both"),
        (
            "metrics: {m: {constant: {password: 'http://bob:s3cret@127.0.0.1/x'}}}",
            ("2:36: metrics.m.constant.password: a password does not belong in the file; write it as ${NAME} and set NAME in the environment"),
        ),
        ("listen_token: hunter2", "2:15: listen_token: write it as ${NAME}, a secret does not belong in the file"),
    ],
)
def test_mistake_in_the_file_says_the_fix(mistake, text, sentence):
    assert mistake(text) == sentence


@pytest.mark.parametrize("host", ["localhost:80", "127.0.0.2:80", "'[::1]:80'"])
def test_loopback_needs_no_token(load, host):
    assert load(f"formation: {{web: {{maximum: 1}}}}\nlisten: {host}").listen is not None


@pytest.mark.parametrize(
    ("policies", "is_refused"),
    [
        ("[{wish: {metric: pages}}]", True),
        ("[{wish: {metric: any}}]", True),
        ("[{wish: {metric: any, other: pages}}]", True),
        ("[{wish: {metric: any}}, {wish: {metric: jobs}}]", False),
        ("[{wish: {metric: jobs}}]", False),
        ("[]", True),
    ],
)
def test_minimum_zero_needs_a_metric_that_exists_at_zero(load, mistakes, policies, is_refused):
    text = f"{_METRICS}formation: {{web: {{minimum: 0, maximum: 4, policies: {policies}}}}}\n"
    if not is_refused:
        assert load(text).types[0].process_type.minimum == 0
        return
    (line,) = mistakes(text)
    assert line.startswith("autoscaler.yaml:2:28: formation.web.minimum: 0 has no way back: ")


def test_metric_of_another_types_processes_exists_at_zero(load):
    text = f"{_METRICS}formation: {{web: {{maximum: 1}}, worker: {{minimum: 0, maximum: 4, policies: [{{wish: {{metric: pages}}}}]}}}}\n"
    assert load(text).types[1].process_type.minimum == 0


def test_two_types_cannot_share_an_address(mistake):
    text = "formation:\n  a: {maximum: 1, socket: shared, listen: '127.0.0.1:80'}\n  b: {maximum: 1, socket: shared, listen: '127.0.0.1:80'}\n"
    assert mistake(text) == "3:43: formation.b.listen: 127.0.0.1:80 is taken by a; choose another port"


def test_type_cannot_take_the_controllers_address(mistake):
    text = "formation:\n  a: {maximum: 1, socket: shared, listen: '127.0.0.1:9797'}\n"
    assert mistake(text) == "2:43: formation.a.listen: 127.0.0.1:9797 is taken by the controller itself; choose another port"


def test_types_may_both_listen_on_any_free_port(load):
    text = "formation:\n  a: {maximum: 1, socket: shared, listen: '127.0.0.1:0'}\n  b: {maximum: 1, socket: shared, listen: '127.0.0.1:0'}\n"
    assert len(load(text).types) == 2


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        *(
            (f"{{wish: {{metric: jobs}}, when_missing: {said}}}", f"when_missing: {_ONE_STAND_IN}")
            for said in ("{}", "{processes: 1, at_most: 1}", "{processes: 1, at_least: 1, at_most: 1}")
        ),
        ("{wish: {metric: jobs}, when_missing: wait}", "when_missing: 'wait' is not one of hold; write one of them"),
        ("{wish: {metric: jobs}, when_missing: 5}", "when_missing: 5 is a number, not text or a mapping; write text or a mapping"),
        ("{wish: {metric: jobs, when_missing: wait}}", "wish.when_missing: 'wait' is not one of hold; write one of them"),
        ("{wish: {metric: jobs, when_missing: hold}, when_missing: hold}", "wish.when_missing: stands here and beside the policy; keep one of them"),
        ("{wish: {metric: job}}", "wish.metric: 'job' is not under `metrics:`; did you mean jobs? the metrics are jobs"),
        ("{wish: {metric: jobs, within: 30}}", "wish.within: 30 has no unit; write 30s for seconds"),
    ],
)
def test_mistake_in_a_policy_says_the_fix(mistake, policy, sentence):
    text = f"metrics: {{jobs: {{constant: {{}}}}}}\nformation: {{web: {{maximum: 1, policies: [{policy}]}}}}"
    assert mistake(text).split(": ", 1)[1] == f"formation.web.policies[0].{sentence}"


def test_backend_says_which_types_it_cannot_run(mistake):
    assert mistake("formation:\n  unknown: {maximum: 1}\n  web: {maximum: 1}\n") == "2:3: formation.unknown: it is unknown here; add it"


def test_what_a_plugin_says_of_the_environment_is_hidden(mistake):
    said = mistake("metrics: {jobs: {constant: {password: '${PASSWORD}'}}}", PASSWORD="hunter2")  # noqa: S106 - no real secret
    assert said == "2:18: metrics.jobs.constant: the password ${PASSWORD} is too short"


def test_unset_name_is_one_mistake_and_no_other_follows(mistake):
    said = mistake("interval: ${UNSET}")
    assert said == "2:11: interval: ${UNSET} is not set in the environment; set it, write ${UNSET:-default}, or $${UNSET} to pass it on as it is"


def test_alias_is_one_mistake_and_no_other_follows(mistake):
    assert "is an alias" in mistake("interval: *x")


def test_ten_different_mistakes_give_ten_lines(mistakes):
    lines = mistakes(
        "interval: 5\nlisten: 0.0.0.0:80\nlisten_token: abc\nbackend: vm\nmetrics:\n  jobs: {constant: {valeu: 1}}\n  jobs: {constant: {}}\n"
        "formation:\n  web:\n    minimum: 9\n    maximum: 4\n    socket: shared\n    slots: ${UNSET}\n    color: red\n"
        "    policies:\n      - wish: {metric: job}\n"
    )
    assert [line.split(":")[1] for line in lines] == ["1", "3", "4", "6", "7", "9", "10", "13", "14", "16"]


def test_type_names_one_of_the_backends(mistake):
    text = "backends: {here: {local: {}}, there: away}\nformation: {web: {maximum: 1, backend: hree}}"
    assert mistake(text) == "2:40: formation.web.backend: 'hree' is not under `backends:`; did you mean here?"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("formation: {web: {maximum: 4, minimum: '${N}'}}", "formation.web.minimum: ${N} is above maximum 4; lower one of them"),
        (
            "backends: {here: local, there: away}\nformation: {web: {maximum: 4, backend: '${N}'}}",
            "formation.web.backend: ${N} is not under `backends:`; use one of here, there",
        ),
        (
            "metrics: {jobs: {of_processes: {process_type: '${N}'}}}",
            "metrics.jobs.of_processes.process_type: ${N} is not in the formation; use one of web",
        ),
        (
            "formation: {web: {maximum: 4, listen: '127.0.0.${N}:80'}}",
            "formation.web.listen: only a shared socket has an address; add socket: shared, or remove listen: 127.0.0.${N}:80",
        ),
    ],
)
def test_what_came_from_the_environment_is_written_as_its_reference(mistake, text, sentence):
    assert mistake(text, N="9").split(": ", 1)[1] == sentence


def _fail():
    raise LookupError("an oversight")


@dataclass(frozen=True, slots=True)
class _Broken:
    """A source whose author overlooked something."""

    def read(self, poll):
        raise NotImplementedError

    def warnings(self):
        _fail()


@dataclass(frozen=True, slots=True)
class _Odd:
    """A source with an option that no file can hold."""

    number: complex = 1j

    def read(self, poll):
        raise NotImplementedError


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (_Broken, "the plug-in failed with LookupError: an oversight; report it to its author"),
        (_Odd, "<class 'complex'> cannot be written in a configuration; use bool, int, float, str, Literal, tuple, Mapping[str, ...], "),
        (object, "the source jobs of acme has no method read; it is no source"),
    ],
)
def test_faulty_plugin_is_a_mistake_at_its_place(source, sentence):
    plugins = Registry([Plugin(SOURCES, "jobs", "acme", lambda: source), Plugin(BACKENDS, "local", "acme", lambda: DryRun)])
    with pytest.raises(ConfigurationError) as caught:
        load_text("backend: local\nmetrics: {m: {jobs: {}}}\nformation: {web: {maximum: 1}}", "a.yaml", {}, plugins)
    assert str(caught.value).startswith(f"a.yaml:2:15: metrics.m.jobs: {sentence}")
