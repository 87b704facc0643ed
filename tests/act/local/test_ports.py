"""Ports follow Foreman's formula and never meet."""

from __future__ import annotations

import pytest

from autoscaler.act.local.ports import Ports, find_port_mistakes, lay_out_ports
from tests.local_formation import process_type


def types_with(*maxima: int):
    return tuple(process_type(f"t{number}", maximum=maximum) for number, maximum in enumerate(maxima))


def mistakes(port: int, metrics_port: int, *maxima: int) -> list[tuple[str, str]]:
    types = types_with(*maxima)
    return list(find_port_mistakes(lay_out_ports(port, metrics_port, types), types))


def test_a_type_is_a_hundred_ports_from_the_next():
    ports = Ports(5000, 15000)
    assert [ports.port_of(0, 1), ports.port_of(0, 2), ports.port_of(1, 1)] == [5000, 5001, 5100]
    assert ports.metrics_port_of(2, 3) == 15202


def test_a_maximum_beyond_the_step_overlaps_the_next_type():
    ((name, sentence),) = mistakes(5000, 15000, 101, 1)
    assert name == "t0"
    assert sentence.startswith("t0 max 101 > port step 100: overlaps t1.1")


@pytest.mark.parametrize("maxima", [(), (0,), (100, 100), (5, 2000)])
def test_maxima_that_fit_are_no_mistake(maxima):
    assert mistakes(5000, 15000, *maxima) == []


def test_a_port_above_the_highest_is_a_mistake():
    ((name, sentence),) = mistakes(65500, 15000, 1, 40)
    assert name == "t1"
    assert "port 65500 leads to port" in sentence
    assert "above 65535; lower port" in sentence


def test_metrics_ports_that_meet_ports_are_a_mistake():
    ((_, sentence),) = mistakes(5000, 5003, 10)
    assert sentence == "port 5000 and metrics_port 5003 overlap, each needs 10 ports; set them further apart"


def test_a_thousand_types_get_a_smaller_step():
    types = types_with(*[1] * 1000)
    ports = lay_out_ports(5000, 15000, types)
    assert ports.step == 10
    assert list(find_port_mistakes(ports, types)) == []
