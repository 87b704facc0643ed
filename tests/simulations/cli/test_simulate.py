"""The command that runs a scenario."""

import json
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from autoscaler.cli.failures import told_plainly
from autoscaler_simulations.cli import simulate as simulate_module
from autoscaler_simulations.cli.simulate import simulate
from autoscaler_simulations.scenario.named import scenario_names

_SCENARIO = """\
about: A minute.
length: 2m
configuration:
  interval: 10s
  metrics: {rate: {file: {path: rate}}}
  formation: {web: {maximum: 9, policies: [{target: {metric: rate, per_process: 4}}]}, clock: {maximum: 1}}
metrics: {rate: {arrival_rate: web, window: 1m}}
processes:
  web: {load: [{poisson: {rate: 5}}], service: {exponential: {mean: 200ms}}}
  clock: {load: [{constant: {rate: 0.1}}], service: {deterministic: {mean: 1s}}}
"""
_PROGRAM = """\
from autoscaler.cli.failures import told_plainly
from autoscaler_simulations.cli.simulate import simulate
with told_plainly():
    simulate(prog_name="simulate")
"""


class _Group(click.Group):
    """Tells failures as the program does."""

    def invoke(self, ctx):
        with told_plainly():
            return super().invoke(ctx)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the scenario with lines added, in the folder that the test works in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "load.csv").write_text("timestamp_s,requests\n" + "".join(f"{60 * each},{300 + each}\n" for each in range(3)))

    def write_scenario(added="", without=""):
        (tmp_path / "s.yaml").write_text(_SCENARIO.replace(without, "") + added)

    return write_scenario


@pytest.fixture
def run(write):
    """Write a scenario and run it."""

    def invoke(*arguments, added="", without="", name="s.yaml"):
        write(added, without)
        return CliRunner().invoke(_Group(commands={"simulate": simulate}), ["simulate", name, *arguments])

    return invoke


def _documents(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_list_names_every_scenario_with_what_it_is_about(run):
    lines = run(name="list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(scenario_names())


def test_result_is_told_in_lines_for_people(run):
    result = run()
    assert result.exit_code == 0
    assert result.stdout.startswith("s: A minute.\nseed 1, fidelity requests, 12 ticks; the configuration is in s.yaml\n")
    assert "\nweb: 120 s\n" in result.stdout
    assert "\nclock: 120 s\n" in result.stdout
    assert result.stderr == ""


def test_same_seed_gives_the_same_json(run):
    first, second, other = (run("--json", "--seed", seed).stdout for seed in ("7", "7", "8"))
    assert first == second != other


def test_each_run_is_a_line_and_their_confidence_the_last(run):
    documents = _documents(run("--json", "--runs", "3", "--seed", "4"))
    assert [document["event"] for document in documents] == ["result", "result", "result", "confidence"]
    assert [document["seed"] for document in documents[:3]] == [4, 5, 6]
    assert documents[3]["seeds"] == [4, 5, 6]


def test_several_runs_are_told_together(run):
    assert "\nover the seeds 1 to 2, means with their 95 % confidence\n" in run("--runs", "2").stdout


def test_what_comes_out_as_expected_is_said(run):
    result = run(added="expect: {web: {lost: [0, 0], requests: [500, 700]}}\n")
    assert result.exit_code == 0
    assert result.stdout.endswith("\nas expected: all 2 figures\n")


@pytest.mark.parametrize("arguments", [(), ("--seed", "1"), ("--json",), ("--runs", "2")])
def test_what_does_not_come_out_as_expected_is_a_failure(run, arguments):
    result = run(*arguments, added="expect: {web: {lost: [0, 0], requests: [0, 7]}, clock: {requests: [1, 2]}}\n")
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first.startswith("not as s.yaml expects: web: requests is ")
    assert second == "not as s.yaml expects: clock: requests is 12, expected 1 to 2"


@pytest.mark.parametrize("arguments", [("--seed", "2"), ("--trace", "load.csv"), ("--fidelity", "flow")])
def test_what_runs_otherwise_than_written_is_not_judged(run, arguments):
    result = run(*arguments, added="expect: {web: {requests: [0, 7]}}\n")
    assert result.exit_code == 0
    assert "expected" not in result.output


@pytest.mark.parametrize("trace", ["load.csv", "web=load.csv"])
def test_trace_takes_the_place_of_a_load(run, trace):
    (document,) = _documents(run("--json", "--trace", trace))
    assert document["seconds"] == 180.0
    assert document["types"]["clock"]["requests"] == 18


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--trace", "worker=load.csv"), "'worker' has no load in this scenario; use one of web, clock"),
        (("--trace", "load.csv", "--trace", "web=load.csv"), "web is given two loads; keep one, or name another type as TYPE=CSV"),
        (("--json", "--record", "-"), "--json and --record - both write to standard output; write the record to a file"),
        (("--runs", "0"), "0 is not in the range 1<=x<=1000"),
        (("--seed", "-1"), "-1 is not in the range x>=0"),
        (("--fidelity", "fluid"), "'fluid' is not one of 'requests', 'flow'"),
    ],
)
def test_wrong_usage_is_refused(run, arguments, sentence):
    result = run(*arguments)
    assert result.exit_code == 2
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("rate", "note"), [(3, "note: the load of clock would keep 3.0 processes busy in the mean, and its maximum is 1\n"), (1, "")]
)
def test_load_that_its_maximum_can_never_work_off_is_noted(run, rate, note):
    clock = "  clock: {load: [{constant: {rate: %s}}], service: {deterministic: {mean: 1s}}}\n"
    result = run(added=clock % rate, without=clock % 0.1)
    assert result.exit_code == 0
    assert result.stderr == note


def test_trace_may_be_a_saved_range_query(run, tmp_path):
    values = [[1_700_000_000 + 60 * each, "2"] for each in range(5)]
    answer = {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}}
    (tmp_path / "day.json").write_text(json.dumps(answer))

    assert json.loads(run("--trace", str(tmp_path / "day.json"), "--json").stdout)["seconds"] == 300


def test_trace_that_is_not_there_is_a_failure(run):
    result = run("--trace", "./a=b.csv")
    assert result.exit_code == 1
    assert result.stderr == "a=b.csv: there is no such file; correct the path\n"


def test_mistake_in_the_scenario_is_wrong_configuration(run):
    result = run(added="sede: 1\n")
    assert result.exit_code == 2
    assert result.stderr == "s.yaml:11:1: sede: unknown key; did you mean seed?\n"


def test_record_of_the_first_run_is_written(run, tmp_path):
    assert run("--record", "record", "--runs", "2").exit_code == 0
    lines = [json.loads(line) for line in (tmp_path / "record").read_text().splitlines()]
    assert lines[0]["configuration"]["interval"] == "10s"
    assert sum(line["event"] == "decision" for line in lines) == 24


def test_record_that_cannot_be_written_is_a_failure(run):
    result = run("--record", "nowhere/record")
    assert result.exit_code == 1
    assert result.stderr.startswith("the record cannot be written to nowhere/record: No such file or directory")


def test_record_that_fills_its_disk_stops_the_run(run):
    result = run("--record", "/dev/full")
    assert result.exit_code == 1
    assert result.stderr.startswith("the record cannot be written to /dev/full: No space left on device")


def test_type_without_a_load_is_noted(run):
    result = run(without="  clock: {load: [{constant: {rate: 0.1}}], service: {deterministic: {mean: 1s}}}\n")
    assert result.stderr == "note: nothing is said of the load of clock, so nothing arrives there\n"


def test_fault_after_the_end_of_a_trace_is_noted(run, tmp_path):
    (tmp_path / "short.csv").write_text("timestamp_s,requests\n0,9\n10,9\n")
    result = run("--trace", "short.csv", added="faults: [{lost_host: {process_type: web, at: 1m, for: 1m}}]\n")
    assert result.stderr == "note: faults that begin after the end, at 20 s, do not happen: 1 of them\n"


def test_interrupt_ends_the_run_without_a_traceback(run, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(simulate_module, "follow", interrupted)
    result = run()
    assert result.exit_code == 1
    assert result.stderr.strip() == "Aborted!"


def test_record_on_standard_output_leaves_the_result_to_standard_error(write):
    write("expect: {web: {lost: [0, 0]}}\n")
    done = _program("s.yaml", "--record", "-")
    assert all("event" in json.loads(line) for line in done.stdout.splitlines())
    assert done.stderr.startswith("s: A minute.\n")
    assert done.stderr.endswith("as expected: all 1 figures\n")


def test_reader_that_goes_away_causes_no_traceback(write):
    write()
    command = [sys.executable, "-c", _PROGRAM, "s.yaml", "--json", "--runs", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def _program(*arguments):
    return subprocess.run([sys.executable, "-c", _PROGRAM, *arguments], capture_output=True, text=True, check=True, timeout=60)
