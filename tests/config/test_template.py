"""The commented file that ``autoscaler init`` writes."""

import re

import pytest

from autoscaler.config.derive import options_of
from autoscaler.config.loading import load, load_text
from autoscaler.config.schema import DirectionSection, FileSection, MetricSection, PolicySection, TypeSection
from autoscaler.config.template import TEMPLATE, init_text
from autoscaler.decide.settings import SCALE_IN, SCALE_OUT, FormationCap

_OPTIONAL = re.compile(r"^( *)#([a-z_]+:)", re.MULTILINE)


def test_template_loads_without_mistakes_and_warnings():
    settings = load_text(TEMPLATE, "autoscaler.yaml", {})
    assert [one.name for one in settings.types] == ["web", "worker"]
    assert settings.warnings == ()


def test_template_loads_with_all_its_optional_keys():
    text = _OPTIONAL.sub(r"\1\2", TEMPLATE).replace("socket: port", "socket: shared").replace("ready: port", "ready: lived")
    settings = load_text(text, "autoscaler.yaml", {"AUTOSCALER_TOKEN": "s3cret"})
    web, worker = settings.types
    assert (settings.listen.token, web.process_type.startup_seconds) == ("s3cret", 4.0)
    assert (worker.pause.reason, worker.process_type.environment) == ("maintenance until noon", {"LOG_LEVEL": "info"})
    assert (settings.cap, web.schedule.windows[0].minimum, worker.futility) == (FormationCap(20, preempt=True), 2, "stop")


def test_limits_in_the_template_are_the_defaults():
    web, _ = load_text(TEMPLATE, "autoscaler.yaml", {}).types
    assert (web.scale_out, web.scale_in, web.combine) == (SCALE_OUT, SCALE_IN, "max")


@pytest.mark.parametrize("section", [FileSection, MetricSection, DirectionSection, PolicySection, TypeSection])
def test_template_tells_of_every_key(section):
    for option in options_of(section):
        assert option.key in TEMPLATE


def test_every_line_of_the_template_fits_the_screen():
    assert max(map(len, TEMPLATE.splitlines())) <= 150
    assert "\t" not in TEMPLATE


@pytest.mark.parametrize("names", [("web",), ("worker", "mailer"), ("web", "worker", "clock"), ("no", "1", "-x", "_y")])
def test_types_of_a_procfile_are_taken_over(tmp_path, names):
    (tmp_path / "Procfile").write_text("".join(f"{name}: run\n" for name in names))
    path = tmp_path / "autoscaler.yaml"
    path.write_text(init_text(names))
    settings = load(path, {})
    assert tuple(one.name for one in settings.types) == names
    assert settings.warnings == ()


@pytest.mark.parametrize("name", ["clock", "beat"])
def test_types_that_must_not_run_twice_stay_fixed(tmp_path, name):
    (tmp_path / "Procfile").write_text(f"{name}: run\n")
    (tmp_path / "autoscaler.yaml").write_text(init_text((name,)))
    (one,) = load(tmp_path / "autoscaler.yaml", {}).types
    assert (one.process_type.minimum, one.process_type.maximum, one.policies, one.process_type.is_singleton) == (1, 1, (), True)


def test_release_phase_is_no_process():
    text = init_text(("clock", "release"))
    assert "# release is left out" in text
    assert "  release:" not in text
