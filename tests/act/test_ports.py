"""Ports follow Foreman's formula and never meet."""

from __future__ import annotations

import pytest

from autoscaler.act.ports import Ports, find_port_mistakes, lay_out_ports, place_types
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


def test_types_keep_their_ports_when_others_come():
    old, new = types_with(1, 1), (process_type("new"), *types_with(1, 120))
    known = place_types(Ports(5000, 15000), old, {})
    assert known == {"t0": 0, "t1": 1}
    assert place_types(Ports(5000, 15000), new, known) == {"t0": 0, "t1": 1, "new": 3}


def test_types_are_numbered_anew_when_old_places_lead_too_far():
    assert place_types(Ports(65300, 15000), types_with(1, 1), {"t1": 2}) == {"t0": 0, "t1": 2}
    assert place_types(Ports(65430, 15000), types_with(1, 1), {"t1": 2}) == {"t0": 0, "t1": 1}


@pytest.mark.parametrize(("port", "metrics_port", "index", "room"), [(5000, 15000, 3, 100), (65530, 15000, 0, 6), (5000, 5150, 1, 50)])
def test_numbers_end_before_the_ports_of_others(port, metrics_port, index, room):
    assert Ports(port, metrics_port).room(process_type(maximum=5), index) == room


def test_no_number_is_given_beyond_the_last_port(stage):
    stage.port = 65530
    stage.run("trap '' TERM; echo up > $PS; while :; do sleep 0.02; done", 5, maximum=5, stop_timeout_seconds=1)
    for number in range(1, 6):
        stage.wait_file(f"web.{number}")
    stage.scale(web=0)
    stage.wait(lambda seen: seen.counts.draining == 5)
    stage.scale(web=5)
    told = stage.wait_told("more start when")
    assert told == "web: 4 more start when draining ones have ended: there are ports for 6 at a time"
    assert stage.counts().starting + stage.counts().running == 5
    stage.wait_running(5)
    assert stage.see().notes == ()


def test_a_port_is_free_again_only_when_its_older_owner_is_gone(stage):
    command = "echo $PORT > $PS; trap 'until [ -e go ]; do sleep 0.01; done; exit' TERM; while :; do sleep 0.02; done"
    types = [process_type(name, command, stop_timeout_seconds=60) for name in ("a", "b")]
    backend = stage.connect(*types)
    stage.scale(b=1)
    assert stage.wait_file("b.1") == f"{stage.port + 100}\n"
    stage.connect(types[0], previous=backend)
    stage.connect(types[0], process_type("c", command), previous=backend)
    stage.scale(c=1)
    stage.wait_told(f"c.1 waits for port {stage.port + 100} of b.1, which drains")
    assert stage.counts("c").starting == 1
    assert stage.see("c").processes[0].metrics is None
    (stage.folder / "go").touch()
    assert stage.wait_file("c.1") == f"{stage.port + 100}\n"
