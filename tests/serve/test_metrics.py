from __future__ import annotations

import gzip
import subprocess

import pytest
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from autoscaler import __version__
from autoscaler.decide.settings import Pause
from autoscaler.events import Notice
from autoscaler.model import Adjustment, Counts, TypeFormation
from autoscaler.serve.metrics import Exporter, blocking_rules


@pytest.fixture
def exporter() -> Exporter:
    return Exporter(["worker"])


def scrape(exporter: Exporter) -> dict[str, float]:
    """Every sample by its name and the values of its labels, in the order of their names: ``processes worker running``."""
    families = text_string_to_metric_families(exporter.page("", "", "").body.decode())
    samples = [sample for family in families for sample in family.samples]
    return {" ".join([sample.name.removeprefix("autoscaler_"), *sample.labels.values()]): sample.value for sample in samples}


EXPECTED = {
    f"build_info {__version__}": 1,
    "config_reload_success": 1,
    "last_tick_timestamp_seconds": 1763800000.0,
    "ticks_missed_total": 2,
    "paused worker": 1,
    "reading jobs_waiting": 700,
    "source_errors_total jobs_waiting": 0,
    "source_errors_total requests_per_second": 3,
    "processes worker running": 2,
    "processes worker starting": 0,
    "processes worker draining": 1,
    "processes worker failed": 0,
    "processes worker unknown": 0,
    "desired_processes worker": 2,
    "crash_looping worker": 0,
    "starts_total worker": 7,
    "drains_killed_total worker": 1,
    "target_processes worker": 4,
    "startup_seconds worker": 4,
    "limit_processes minimum worker": 0,
    "limit_processes maximum worker": 40,
    "recommended_processes backlog worker": 5,
    "policy_missing backlog worker": 0,
    "policy_missing target worker": 1,
    "policy_missing calendar worker": 0,
    "blocked worker rate_limit": 1,
    "decisions_total scale_out worker": 1,
    "decisions_total scale_in worker": 0,
    "decisions_total hold worker": 0,
    "decisions_total none worker": 0,
    "adjustments_total worker rate_limit": 1,
    "scale_errors_total worker": 1,
    "reaction_seconds_count worker": 1,
    "reaction_seconds_sum worker": 0.4,
    "tick_duration_seconds_count": 1,
    "tick_duration_seconds_sum": 0.002,
}


@pytest.mark.parametrize("wanted", EXPECTED)
def test_every_metric_of_the_design_is_shown(exporter, make_tick, wanted):
    exporter.ticked(make_tick(pauses={"worker": Pause(scale_in=True)}, missed=2, errors={"worker": "refused"}))

    assert scrape(exporter)[wanted] == EXPECTED[wanted]


def test_age_of_a_reading_is_that_at_the_tick(exporter, make_tick):
    exporter.ticked(make_tick())

    assert scrape(exporter)["reading_age_seconds jobs_waiting"] == pytest.approx(0.4)


def test_histogram_buckets_add_up(exporter, make_tick):
    exporter.ticked(make_tick())
    exporter.ticked(make_tick(reactions={"worker": 99.0}))

    samples = scrape(exporter)
    assert [samples[f"reaction_seconds_bucket {bound} worker"] for bound in ("0.25", "0.5", "60.0", "+Inf")] == [0, 1, 1, 2]


def test_missing_metric_has_no_reading(exporter, make_tick):
    exporter.ticked(make_tick())

    assert not [name for name in scrape(exporter) if name.startswith("reading") and "requests_per_second" in name]


def test_before_the_first_tick_there_is_the_version(exporter):
    assert {name: value for name, value in scrape(exporter).items() if value} == {f"build_info {__version__}": 1, "config_reload_success": 1}


def test_series_that_tell_of_creation_are_left_out(exporter, make_tick):
    exporter.ticked(make_tick())

    pages = [exporter.page(accept, "", "").body for accept in ("", "application/openmetrics-text; version=1.0.0")]
    assert not [page for page in pages if b"_created" in page]


def test_removed_types_and_metrics_disappear(exporter, make_decision, make_tick):
    exporter.reconfigure(["web", "worker"])
    exporter.ticked(make_tick(make_decision("web"), make_decision("worker"), errors={"web": "refused"}))
    exporter.reconfigure(["worker"])
    exporter.ticked(make_tick(make_decision("worker"), board={}))

    samples = scrape(exporter)
    assert samples["decisions_total scale_out worker"] == 2
    assert not [name for name in samples if "web" in name or "jobs_waiting" in name]


def test_error_beside_the_types_is_no_series(exporter, make_tick):
    exporter.ticked(make_tick(errors={"pause": "the runtime directory cannot be read"}))

    assert not [name for name in scrape(exporter) if "pause" in name.split()[1:]]


def test_type_that_is_not_observed_keeps_its_counts(exporter, make_tick):
    exporter.ticked(make_tick())
    exporter.ticked(make_tick(decisions=(), formations={}, errors={"worker": "the backend does not answer"}))
    exporter.ticked(make_tick())

    samples = scrape(exporter)
    assert samples["scale_errors_total worker"] == 1
    assert samples["reaction_seconds_count worker"] == 3


@pytest.mark.parametrize(("details", "success"), [({"ok": False, "error": "9 is above 4"}, 0), ({"ok": True}, 1)])
def test_reload_that_failed_is_shown(exporter, details, success):
    exporter.noticed(Notice(event="reload", now=1.0, at=2.0, details=details))

    assert scrape(exporter)["config_reload_success"] == success


def test_other_notices_leave_the_reload_alone(exporter):
    exporter.noticed(Notice(event="pause", now=1.0, at=2.0, details={"ok": False}))

    assert scrape(exporter)["config_reload_success"] == 1


def test_crash_loop_is_shown(exporter, make_tick):
    exporter.ticked(make_tick(formations={"worker": TypeFormation(Counts(desired=1, failed=1), is_crash_looping=True)}))

    samples = scrape(exporter)
    assert samples["crash_looping worker"] == 1


@pytest.mark.parametrize(
    ("before", "after", "blocks"),
    [(5, 4, True), (5, 2, True), (0, 1, True), (0, 2, True), (2, 3, False), (5, 9, False), (1, 0, False)],
)
def test_rule_blocks_when_it_moves_towards_what_runs(make_decision, before, after, blocks):
    decision = make_decision(adjustments=(Adjustment("limits", before, after, ""),))

    assert blocking_rules(decision) == (("limits",) if blocks else ())


def test_openmetrics_is_written_when_asked_for(exporter, make_tick):
    exporter.ticked(make_tick())

    page = exporter.page("application/openmetrics-text; version=1.0.0", "", "")

    assert dict(page.headers)["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "autoscaler_decisions" in {family.name for family in parse_openmetrics(page.body.decode())}


def test_page_is_compressed_when_asked_for(exporter):
    page = exporter.page("", "gzip", "")

    assert dict(page.headers)["Content-Encoding"] == "gzip"
    assert b"autoscaler_build_info" in gzip.decompress(page.body)


def test_metrics_are_chosen_by_name(exporter, make_tick):
    exporter.ticked(make_tick())

    body = exporter.page("", "", "name[]=autoscaler_target_processes").body

    assert [line for line in body.decode().splitlines() if not line.startswith("#")] == ['autoscaler_target_processes{process_type="worker"} 4.0']


@pytest.mark.usefixtures("exporter")
def test_global_registry_stays_untouched():
    assert not [family.name for family in REGISTRY.collect() if family.name.startswith("autoscaler")]


def test_names_with_quotes_and_newlines_are_escaped(exporter, make_decision, make_tick):
    exporter.ticked(make_tick(make_decision('a"b\\c\nd')))

    assert scrape(exporter)['desired_processes a"b\\c\nd'] == 2


@pytest.mark.server
def test_promtool_has_nothing_to_say(exporter, make_tick, require_program):
    exporter.ticked(make_tick(pauses={"worker": Pause(scale_in=True)}))

    answer = subprocess.run([require_program("promtool"), "check", "metrics"], input=exporter.page("", "", "").body, capture_output=True, check=False)

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, b"", b"")
