"""Whatever a scenario file holds, the answer is a scenario or a list of mistakes, never a traceback."""

import contextlib
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.model import AutoscalerError
from autoscaler_simulations.scenario.named import find_scenario, scenario_names
from autoscaler_simulations.scenario.preparing import Changes, prepare
from autoscaler_simulations.scenario.reading import read_scenario

_TEXTS = [find_scenario(name).read_text() for name in scenario_names()]
_VALUE = re.compile(r"(?<=: )[^,\n{}\[\]]+|\{[^{}]*\}|\[[^\[\]]*\]")
_JUNK = st.sampled_from(
    ["null", "[]", "{}", "-1", "0", ".nan", ".inf", "1e300", "'x'", "5", "0s", "9d", "[1, 2]", "{a: b}", "true", "${X}", "*a", "web", "é"]
)
_KEYS = st.sampled_from(
    ["length", "configuration", "metrics", "processes", "faults", "expect", "web", "load", "poisson", "rate", "lost_host", "seed"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """Read a text as a scenario; a traceback fails the test."""
    path = tmp_path_factory.mktemp("garbage") / "s.yaml"

    def read(text):
        path.write_text(text)
        with contextlib.suppress(AutoscalerError):
            prepare(read_scenario(path, {}), Changes())

    return read


@given(st.dictionaries(_KEYS, _VALUES, max_size=6))
def test_any_mapping_is_answered(answer, document):
    answer(json.dumps(document))


@given(st.data())
def test_any_value_in_a_good_scenario_is_answered(answer, data):
    text = data.draw(st.sampled_from(_TEXTS))
    place = data.draw(st.sampled_from(list(_VALUE.finditer(text))))
    answer(text[: place.start()] + data.draw(_JUNK) + text[place.end() :])
