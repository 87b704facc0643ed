"""Units are named by a pattern, and their numbers are read back from it."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autoscaler.act.ports import lay_out_ports
from autoscaler.act.systemd import Systemd
from autoscaler.act.systemd.names import DEFAULT_PATTERN, TypeUnits, check_pattern, find_name_mistakes, name_units
from autoscaler.model import ProcessType

_PATTERNS = (
    "app-{type}@{n}.service",
    "app-{type}-{n}.service",
    "app-{type}.{n}.service",
    "app-{type}@{port}.service",
    "app-{type}@{n}",
    "{type}.{port}",
)
_NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True)


def _types(*names, **fields):
    return tuple(ProcessType(name=name, **{"minimum": 0, "maximum": 40, **fields}) for name in names)


def _named(pattern, types, index=0):
    return name_units(pattern, lay_out_ports(5000, 20000, types), types[index], index)


def _mistakes(pattern, types):
    return find_name_mistakes(pattern, lay_out_ports(5000, 20000, types), types)


@given(pattern=st.sampled_from(_PATTERNS), name=_NAMES, number=st.integers(1, 40), index=st.integers(0, 3))
def test_the_number_of_a_unit_is_read_back(pattern, name, number, index):
    check_pattern(pattern)
    units = _named(pattern, _types(*(f"{name}{letter}" for letter in "abcd")), index)

    assert units.number_of(units.unit_of(number)) == number


@given(pattern=st.sampled_from(_PATTERNS), names=st.lists(_NAMES, min_size=2, max_size=4, unique=True), number=st.integers(1, 40))
def test_no_unit_is_of_two_types(pattern, names, number):
    types = _types(*names)
    units = [_named(pattern, types, index) for index in range(len(types))]

    for one in units:
        assert [other.number_of(one.unit_of(number)) for other in units if other is not one] == [None] * (len(units) - 1)


@given(pattern=st.sampled_from(_PATTERNS), text=st.text(max_size=8))
def test_whatever_is_read_as_a_number_names_that_unit(pattern, text):
    units = _named(pattern, _types("web"))
    unit = f"{units.prefix}{text}.service"
    number = units.number_of(unit)

    assert number is None or (units.unit_of(number) == unit and number >= 1)


@given(unit=st.text(max_size=30))
def test_a_foreign_name_has_no_number(unit):
    units = _named(DEFAULT_PATTERN, _types("web"))
    assume(not re.fullmatch(r"app-web@[1-9][0-9]{0,5}\.service", unit))

    assert units.number_of(unit) is None


@pytest.mark.parametrize(
    "unit",
    [
        "app-web@.service",
        "app-web@0.service",
        "app-web@01.service",
        "app-web@-1.service",
        "app-web@1.socket",
        "app-web@1.service.service",
        "app-web@1",
        "app-web@1.service\n",
        "app-web@\u0661.service",
        "app-web@blue.service",
        "app-web@1000000.service",
        "my-app-web@1.service",
        "app-web-1.service",
        "app-webs@1.service",
        "",
    ],
)
def test_a_name_that_looks_alike_is_no_process(unit):
    assert _named(DEFAULT_PATTERN, _types("web")).number_of(unit) is None


def test_a_port_outside_of_its_type_is_no_process():
    types = _types("web", "worker")

    assert [_named("app-{type}@{port}.service", types).number_of(f"app-web@{port}.service") for port in (4999, 5000, 5099, 5100)] == [
        None,
        1,
        100,
        None,
    ]
    assert _named("app-{type}@{port}.service", types, 1).unit_of(2) == "app-worker@5101.service"


def test_only_an_instance_has_a_template():
    assert [_named(pattern, _types("web")).template for pattern in _PATTERNS[:4]] == ["app-web@.service", None, None, "app-web@.service"]


@given(pattern=st.sampled_from(_PATTERNS), number=st.integers(1, 40))
def test_the_glob_matches_every_unit(pattern, number):
    units = _named(pattern, _types("web"))
    before, after = units.glob.split("*")

    assert units.unit_of(number).startswith(before)
    assert units.unit_of(number).endswith(after)


def test_a_pattern_without_a_suffix_means_services():
    assert _named("app-{type}@{n}", _types("web")) == _named("app-{type}@{n}.service", _types("web")) == TypeUnits("app-web@")


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{n}",
        "@{n}",
        "app-web",
        "app-{type}",
        "app-{type}@.service",
        "app-{n}-{type}.service",
        "app-{type}-{n}x.service",
        "app-{type}@{n}.timer",
        "app-{type}@{n}.service.d",
        "app@{type}@{n}.service",
        "app-{type}@{n}{port}",
        "app-{type}-{type}@{n}",
        "app-{types}@{n}",
        "app {type}@{n}",
        "app/{type}@{n}",
        "app-{type}@{n}.service\n",
        "app-*{type}@{n}",
        "\u00e4pp-{type}@{n}",
    ],
)
def test_a_pattern_that_names_no_units_is_refused_with_an_example(pattern):
    with pytest.raises(ValueError, match=re.escape("such as app-{type}@{n}.service")) as refused:
        check_pattern(pattern)

    assert repr(pattern) in str(refused.value)


@pytest.mark.parametrize("pattern", _PATTERNS)
def test_the_layouts_in_the_field_are_taken(pattern):
    check_pattern(pattern)

    assert _mistakes(pattern, _types("web", "worker")) == []


def test_types_that_would_be_the_same_units_are_named():
    assert _mistakes("app@{n}", _types("web")) == []
    assert _mistakes("app@{n}", _types("web", "worker")) == [
        ("worker", "unit 'app@{n}' has no {type}, so web and worker would be the same units; add it")
    ]


@pytest.mark.parametrize("names", [("web", "web1"), ("web1", "web"), ("job", "web", "web20")])
def test_a_type_whose_units_could_be_those_of_another_is_named(names):
    assert [name for name, _ in _mistakes("app-{type}{n}", _types(*names))] == [max(names, key=len)]
    assert _mistakes("app-{type}-{n}", _types(*names)) == []


def test_names_that_only_begin_alike_are_no_mistake():
    assert _mistakes("app-{type}{n}", _types("web", "webs", "web-1x")) == []


def test_a_name_that_is_too_long_is_named():
    (mistake,) = _mistakes(DEFAULT_PATTERN, _types("web", "w" * 250))

    assert mistake == ("w" * 250, "its unit names would be longer than 255 characters; shorten the name or the pattern")


def test_ports_that_meet_are_mistakes_of_a_pattern_with_ports_only():
    types = _types("web", "worker", maximum=60_000)

    assert {name for name, _ in _mistakes("app-{type}@{port}", types)} <= {"web", "worker"}
    assert _mistakes("app-{type}@{port}", types)
    assert _mistakes("app-{type}@{n}", types) == []


def test_high_ports_are_as_good_as_low_ones():
    types = (ProcessType(name="web", minimum=0, maximum=9), ProcessType(name="job", minimum=0, maximum=9))

    assert [Systemd(unit="app-{type}@{port}", port=port).mistakes(types) for port in (1, 5000, 33000, 60000)] == [()] * 4
    assert "above 65535" in Systemd(unit="app-{type}@{port}", port=65530).mistakes(types)[-1][1]
