"""``scale_in: {when: idle}`` has to be told who works."""

import pytest

from autoscaler.config.errors import ConfigurationError
from autoscaler.config.loading import load_text

_METRICS = "metrics: {jobs: {constant: {}}, pages: {of_processes: {process_type: web}}, others: {of_processes: {process_type: job}}}\n"
_FILE = "{file: {path: jobs}}"


def _type(policy: str) -> str:
    return f"{_METRICS}formation: {{web: {{maximum: 4, scale_in: {{when: idle}}, policies: [{policy}]}}, job: {{maximum: 1}}}}\n"


def test_a_metric_of_each_process_tells_who_works(load):
    settings = load(_type("wish: {metric: pages}"))
    assert settings.types[0].scale_in.when == "idle"
    assert settings.types[0].scale_in.stabilization_seconds == 300.0


@pytest.mark.parametrize("busy", ["busy: working, ", ""])
def test_a_policy_with_busy_tells_how_much_is_done(busy):
    policy = f"backlog: {{waiting: jobs, {busy}job_takes: 1s}}"
    web = f"{{maximum: 4, scale_in: {{when: idle}}, policies: [{policy}]}}"
    text = f"backend: dry_run\nmetrics: {{jobs: {_FILE}, working: {_FILE}}}\nformation: {{web: {web}}}\n"
    if busy:
        assert load_text(text, "a.yaml", {}).types[0].scale_in.when == "idle"
        return
    with pytest.raises(ConfigurationError, match=r"formation\.web\.scale_in: idle needs to be told who works"):
        load_text(text, "a.yaml", {})


@pytest.mark.parametrize("policy", ["wish: {metric: jobs}", "wish: {metric: others}"])
def test_without_one_the_key_is_refused(mistakes, policy):
    found = mistakes(_type(policy))
    assert any("formation.web.scale_in: idle needs to be told who works" in each for each in found)


def test_scale_out_has_no_such_key(mistakes):
    assert any("formation.web.scale_out.when: unknown key" in each for each in mistakes("formation: {web: {maximum: 4, scale_out: {when: idle}}}\n"))


def test_the_default_takes_any_process(load):
    assert load("formation: {web: {maximum: 4}}\n").types[0].scale_in.when == "always"
