"""Read lists of any kind, choose processes, and refuse what cannot be."""

import time
from dataclasses import replace
from threading import Event

import pytest

from autoscaler.act.command import Command
from autoscaler.model import Change, Counts, ProcessType
from tests.local_formation import list_marked

_WEB = ProcessType(name="web", minimum=0, maximum=20, interval_seconds=30.0)
_JOB = ProcessType(name="job", minimum=0, maximum=20, interval_seconds=30.0)


@pytest.fixture
def connect(tmp_path, marker, eventually):
    """Return how to connect a type to a list that is a file, and whose commands write a line each into another."""
    made = []

    def connect(listed, *types, **keys):
        (tmp_path / "list").write_text(listed)
        log = f">> {tmp_path}/log; echo"
        given = {"list": f"cat {tmp_path}/list", "start": f"echo start {{process}} {log}", "stop": f"echo stop {{process}} {log}", **keys}
        made.append(Command(**given).connect(types or (_WEB,), None))
        return made[-1]

    yield connect
    for backend in made:
        backend.close(Event())
    eventually(lambda: list_marked(marker) == [])


@pytest.fixture
def told(tmp_path):
    return lambda: sorted((tmp_path / "log").read_text().splitlines()) if (tmp_path / "log").exists() else []


def _see(backend, name="web"):
    formation = backend.observe()
    return formation.types.get(name) or formation.errors[name]


def _scale(backend, target, loads=None):
    (outcome,) = backend.scale((Change("web", 0, target, "test", loads or {}),))
    return outcome.error


_LIST = "web.1 running\nweb.2 starting\nweb.3 failed\nweb.4 draining\nweb.5 stopped\nweb.6 stopped\nother.1 running\nnonsense\n"


def test_each_line_is_a_process(connect):
    seen = _see(connect(_LIST))
    assert seen.counts == Counts(desired=3, running=1, starting=1, failed=1, draining=1)
    assert [(each.name, each.state) for each in seen.processes] == [
        ("web.1", "running"),
        ("web.2", "starting"),
        ("web.3", "failed"),
        ("web.4", "draining"),
    ]
    assert seen.chooses_idlest


def test_processes_are_failed_while_they_crash(connect):
    seen = _see(connect("web.1 crashing\nweb.2 stopped\n"))
    assert (seen.counts, seen.is_crash_looping) == (Counts(desired=1, failed=1), True)


def test_the_lowest_numbers_start(connect, told):
    backend = connect(_LIST)
    _see(backend)
    assert _scale(backend, 4) is None
    assert told() == ["start web.5"]
    assert _see(backend).counts == Counts(desired=4, running=1, starting=2, failed=1, draining=1)


def test_those_that_failed_or_start_stop_before_those_that_run(connect, told):
    backend = connect(_LIST)
    _see(backend)
    assert _scale(backend, 1) is None
    assert told() == ["stop web.2", "stop web.3"]
    assert _see(backend).counts == Counts(desired=1, running=1, draining=3)


def test_the_idlest_stop_first_and_then_the_highest_numbers(connect, told):
    backend = connect("web.1 running\nweb.2 running\nweb.3 running\nweb.10 running\n")
    _see(backend)
    assert _scale(backend, 2, {"web.2": 0.1, "web.1": 0.9}) is None
    assert told() == ["stop web.1", "stop web.2"]


def test_without_loads_the_highest_numbers_stop(connect, told):
    backend = connect("web.9 running\nweb.2 running\nweb.10 running\n")
    _see(backend)
    assert _scale(backend, 1) is None
    assert told() == ["stop web.10", "stop web.9"]


def test_all_processes_go_into_one_command_where_it_takes_them(connect, told, tmp_path):
    backend = connect("web.1 stopped\nweb.2 stopped\n", start=f"echo {{type}} {{processes}} >> {tmp_path}/log")
    _see(backend)
    assert _scale(backend, 2) is None
    assert told() == ["web web.1 web.2"]


def test_names_are_quoted_for_the_shell(connect, told, tmp_path):
    hostile = "we$(touch oops)b"
    backend = connect(f"{hostile}.1 stopped\n".replace(" stopped", "|stopped"), pattern=r"^(?P<process>.*)\|(?P<state>\w+)", names={"web": hostile})
    _see(backend)
    assert _scale(backend, 1) is None
    assert told() == [f"start {hostile}.1"]
    assert not (tmp_path / "oops").exists()


def test_the_want_of_a_line_is_part_of_its_state(connect):
    pattern = r"^(?P<process>\S+) (?P<state>\w+)(?: \((?P<want>\w+)\))?$"
    backend = connect("web.1 up (down)\nweb.2 up\nweb.3 off\n", pattern=pattern, states={"up down": "draining", "up": "running", "off": "stopped"})
    assert _see(backend).counts == Counts(desired=1, running=1, draining=1)


def test_a_process_is_ready_when_it_has_run_for_a_while(connect):
    pattern = r"^(?P<process>\S+) (?P<state>\w+) (?P<seconds>\d+)s"
    backend = connect("web.1 running 4s\nweb.2 running 5s\n", pattern=pattern, ready_after_seconds=5.0)
    assert _see(backend).counts == Counts(desired=2, running=1, starting=1)


def test_a_list_without_a_type_says_so(connect):
    backend = connect("web.1 stopped\n", _WEB, _JOB)
    assert _see(backend).counts == Counts(desired=0)
    assert _see(backend, "job") == "list shows no process such as job.1; create it, or correct process, names or pattern"


def test_a_state_without_a_meaning_holds_the_type_alone(connect, told):
    backend = connect("web.1 melting\njob.1 running\n", _WEB, _JOB)
    said = "list says 'melting' of web.1, and that is not under states; add it"
    assert _see(backend) == said
    assert _see(backend, "job").counts == Counts(desired=1, running=1)
    assert _scale(backend, 2) == f"nothing was sent: {said}"
    assert told() == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo no daemon >&2; exit 4", "list: the command ended with exit code 4: no daemon"),
        ("echo no socket; exit 4", "list: the command ended with exit code 4: no socket"),
        ("no-such-tool", "list: the command does not exist: "),
        ("sleep 60", "list: the command gave no answer within 0.2 s and was killed"),
        ("yes", "list: the command wrote more than 1024 KiB"),
    ],
)
def test_a_list_that_fails_holds_every_type(connect, command, said):
    backend = connect("", list=command, timeout_seconds=5.0 if command == "yes" else 0.2)
    assert _see(backend).startswith(said)


def test_the_first_good_list_repairs_it(connect, tmp_path):
    backend = connect("", list=f"cat {tmp_path}/away")
    assert "No such file" in _see(backend)
    (tmp_path / "away").write_text("web.1 running\n")
    assert _see(backend).counts == Counts(desired=1, running=1)


def test_a_start_that_is_refused_is_told_in_its_words(connect):
    backend = connect("web.1 stopped\n", start="echo {process}: no such binary >&2; exit 7")
    _see(backend)
    assert _scale(backend, 1) == "the command ended with exit code 7: web.1: no such binary"
    assert _see(backend).counts == Counts(desired=0)


def test_one_start_of_several_that_fails_is_looked_up(connect):
    backend = connect("web.1 stopped\nweb.2 stopped\n", start="[ {process} = web.1 ] || exit 7")
    _see(backend)
    assert _scale(backend, 2) == "1 of 2 commands succeeded: the command ended with exit code 7: it wrote no error"


def test_a_start_that_is_killed_for_its_flood_of_output_may_have_been_done(connect, tmp_path):
    backend = connect("web.1 stopped\n", start=f"echo web.1 running > {tmp_path}/list; yes {{process}}")
    _see(backend)
    assert _scale(backend, 1) == "the command wrote more than 1024 KiB"
    formation = backend.observe()
    assert formation.happenings == ("web: the change to 1 had been done: 1 are desired",)
    assert formation.types["web"].counts == Counts(desired=1, running=1)


def test_a_start_that_does_not_end_may_have_been_done(connect, tmp_path):
    start = f"echo web.1 running > {tmp_path}/list; sleep 60 # {{process}}"
    backend = connect("web.1 stopped\n", start=start, timeout_seconds=0.3)
    _see(backend)
    assert _scale(backend, 1) == "the command gave no answer within 0.3 s and was killed"
    formation = backend.observe()
    assert formation.types["web"].counts == Counts(desired=1, running=1)
    assert formation.happenings == ("web: the change to 1 had been done: 1 are desired",)


def test_a_slow_command_does_not_hold_the_tick(connect):
    backend = connect("web.1 stopped\n", _with_interval(1.0), start="sleep 1.2 # {process}")
    _see(backend)
    began = time.monotonic()
    _scale(backend, 1)
    assert time.monotonic() - began < 1.0
    assert "the change to 1 has had no answer" in _see(backend)


def test_a_number_can_be_set_at_once(connect, told, tmp_path):
    keys = {"start": None, "stop": None, "scale": f"echo {{type}}={{count}} was {{previous}} >> {tmp_path}/log"}
    backend = connect("front 2 1\nother x y\n", names={"web": "front"}, **keys)
    assert _see(backend).counts == Counts(desired=2, running=1, starting=1)
    assert _scale(backend, 3) is None
    assert told() == ["front=3 was 2"]


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("web 2\n", Counts(desired=2, running=2)),
        ("web 2 5\n", Counts(desired=2, running=2, draining=3)),
        ("job 2 5\n", "list shows no line of web; correct names or pattern"),
        ("web 1234567 1\n", "list shows no number of processes: web 1234567 1"),
    ],
)
def test_numbers_are_read_from_a_line_a_type(connect, listed, expected):
    seen = _see(connect(listed, start=None, stop=None, scale="true {count}"))
    assert getattr(seen, "counts", seen) == expected
    if listed == "web 2\n":
        assert seen.unready == "list does not say how many processes of web are ready; add the group running to pattern"


_GOOD = {"list": "ls", "start": "up {process}", "stop": "down {process}"}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"list": " "}, "list is empty or holds a null byte"),
        ({"start": None}, "give start and stop, or scale in place of both"),
        ({"scale": "set {count}"}, "give start and stop, or scale in place of both"),
        ({"start": None, "stop": None, "scale": "set {type}"}, "scale says no number; put {count} into it"),
        ({"start": "up"}, "start names no process; put {process} or {processes} into it"),
        ({"start": "up {proces}"}, "start has {proces}, and what can stand there is {process}, {processes}, {type}, {n}"),
        ({"stop": "down {processes} {n}"}, "stop has {processes} beside {process} or {n}; use one of them"),
        ({"process": "{type}"}, "process '{type}' names no processes; write {type} and once {n}"),
        ({"pattern": "("}, "pattern is no regular expression"),
        ({"pattern": r"(?P<state>\w+)"}, "pattern has no group process"),
        ({"pattern": r"(?P<type>\w+) (?P<n>\d+)"}, "pattern has no group state"),
        ({"ready_after_seconds": 1.0}, "ready_after needs the group seconds in pattern"),
    ],
)
def test_keys_that_cannot_be_are_refused(keys, said):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the text is compared
        Command(**{**_GOOD, **keys})
    assert said in str(raised.value)


def test_braces_of_the_shell_are_left_alone():
    assert Command(**{**_GOOD, "start": "{ up ${PREFIX}{process}; }"})


def test_types_that_would_share_processes_are_mistakes():
    plugin = Command(**_GOOD, process="{type}{n}")
    types = (_WEB, ProcessType(name="web1", minimum=0, maximum=2))
    assert plugin.mistakes(types) == (("web1", "the process web11 would be one of web too by process '{type}{n}'; write a dot or a dash before {n}"),)
    assert replace(plugin, process="{type}.{n}").mistakes(types) == ()


def test_a_command_of_the_formation_is_a_mistake():
    (mistake,) = Command(**_GOOD).mistakes((ProcessType(name="web", minimum=0, maximum=1, command="serve"),))
    assert mistake[1].startswith("command is not for another process manager")


def test_a_reload_keeps_the_connection_of_an_equal_configuration():
    backend = Command(**_GOOD).connect((_WEB,), None)
    assert Command(**_GOOD).connect((_WEB,), backend) is backend
    assert Command(**{**_GOOD, "list": "ps"}).connect((_WEB,), backend) is not backend


def _with_interval(seconds):
    return ProcessType(name="web", minimum=0, maximum=20, interval_seconds=seconds)
