"""Whatever a file holds, the answer is settings or a list of mistakes, never a traceback."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.config.errors import ConfigurationError
from autoscaler.config.loading import load_text
from autoscaler.config.plugins import installed
from autoscaler.config.template import TEMPLATE

_KEYS = st.sampled_from(
    [
        *("interval", "listen", "listen_token", "listen_certificate", "listen_key", "backend", "backends", "metrics", "defaults", "formation"),
        *("local", "dry_run", "file", "sql", "command", "prometheus", "prometheus_text", "http_json", "path", "url", "query", "every", "max_age"),
        *("alive", "web", "worker", "minimum", "maximum", "slots", "startup", "socket", "ready", "environment", "policies", "target", "backlog"),
        *("metric", "per_process", "waiting", "busy", "when_missing", "processes", "at_least", "combine", "scale_out", "scale_in", "stabilization"),
        *("at_most", "select", "pause", "each_process", "process_type"),
    ]
)
_WORDS = st.sampled_from(
    [
        *("web", "jobs", "${HOME}", "${UNSET}", "${A:-b}", "$${X}", "5s", "0s", "-1s", "1e999s", "4 per 15s", "25% per 1m", "0% per 1s"),
        *("127.0.0.1:80", "[::1]:0", "0.0.0.0:1", "shared", "port", "hold", "max", "local", "dry_run", "http://127.0.0.1/", "sqlite:///a"),
    ]
)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _WORDS
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=8), inner, max_size=5),
    max_leaves=30,
)
_REGISTRY = installed()
_ENVIRONMENT = {"HOME": "/root", "X": "1"}


def _load(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        load_text(text, "a.yaml", _ENVIRONMENT, _REGISTRY)


@given(st.text())
def test_any_text_is_answered(text):
    _load(text)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@#,?~0.1${} \n\t", max_size=60))
def test_any_text_of_yaml_signs_is_answered(text):
    _load(text)


@given(st.dictionaries(_KEYS, _VALUES, max_size=6))
def test_any_mapping_is_answered(document):
    _load(json.dumps(document))


@given(_VALUES, _VALUES, st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_any_section_in_its_place_is_answered(metric, policy, keys):
    document = {
        "metrics": {"jobs": metric},
        "formation": {"web": {**keys, "policies": [policy, {"target": policy}, {"backlog": keys}]}},
        "defaults": keys,
    }
    _load(json.dumps(document))


@given(st.data())
def test_any_damage_to_a_good_file_is_answered(data):
    at = data.draw(st.integers(0, len(TEMPLATE)))
    length = data.draw(st.integers(0, 40))
    _load(TEMPLATE[:at] + data.draw(st.text(max_size=10)) + TEMPLATE[at + length :])


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 5000, "{a: " * 3000, "- " * 3000, "a: &b [*b]", "a: &a\n  <<: *a\n", "? \n: ", "%YAML 9.9\n---\na: 1", "%TAG ! x\n---\n!a b"),
        *(
            "\ud800",
            "a: 9" + "9" * 9000,
            "a: 0x" + "f" * 9000,
            "!!python/object:os.system {}",
            "a: !!binary =",
            "\u2028",
            "'",
            '"\\x"',
            "--- |\n",
            "...\n",
        ),
        "formation: {web: {maximum: .inf, minimum: -.inf, slots: 1e400, startup: 1e400s}}",
        "interval: " + "9" * 400 + "d\nformation: {web: {maximum: 1}}",
    ],
)
def test_known_traps_are_answered(text):
    with pytest.raises(ConfigurationError):
        load_text(text, "a.yaml", _ENVIRONMENT)
