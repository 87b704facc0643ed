"""Processes are spread over hosts by a pure rule, and leave from the fullest."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.act.systemd.placement import Candidate, Place, choose_leavers, spread

_COUNTS = st.integers(0, 12)
_WEIGHTS = st.sampled_from([0.5, 1.0, 2.0, 3.0])
_ROOMS = st.none() | st.integers(0, 8)


@st.composite
def _lists_of_places(draw, weights=_WEIGHTS, rooms=_ROOMS):
    hosts = [f"app{number}" for number in range(1, draw(st.integers(0, 5)) + 1)]
    of_type = [draw(_COUNTS) for _ in hosts]
    return [Place(host, here, here + draw(_COUNTS), draw(weights), draw(rooms)) for host, here in zip(hosts, of_type, strict=True)]


@st.composite
def _candidates_of(draw, places):
    return [
        Candidate(place.host, number, draw(st.booleans()), draw(st.booleans()), draw(st.none() | st.floats(0, 1)))
        for place in places
        for number in range(1, place.of_type + 1)
    ]


@st.composite
def _scale_ins(draw):
    places = draw(_lists_of_places())
    return places, draw(_candidates_of(places)), draw(st.integers(0, 70))


def _share(place, added):
    return (place.of_type + added) / place.weight


def _up(host, *numbers):
    return [Candidate(host, number) for number in numbers]


@given(_lists_of_places(), st.integers(0, 60))
def test_no_host_gets_more_than_it_has_room_for_and_none_is_left_out_while_one_has_room(places, count):
    added = Counter(spread(places, count))

    assert all(place.room is None or added[place.host] <= place.room for place in places)
    all_rooms = [place.room for place in places]
    assert added.total() == (count if None in all_rooms else min(count, sum(all_rooms)))


@given(_lists_of_places(), st.integers(0, 60))
def test_a_process_more_goes_where_the_share_of_the_weight_is_smallest(places, count):
    added = Counter(spread(places, count))
    open_places = [place for place in places if place.room is None or added[place.host] < place.room]

    for full in (place for place in places if added[place.host]):
        assert all(_share(full, added[full.host] - 1) <= _share(other, added[other.host]) for other in open_places)


@given(st.integers(1, 6), st.integers(0, 60))
def test_equal_hosts_differ_by_one_process_at_most(hosts, count):
    added = Counter(spread([Place(f"app{number}", 0, 0) for number in range(hosts)], count))

    assert max(added.values(), default=0) - min(added[f"app{number}"] for number in range(hosts)) <= 1


@given(_lists_of_places(), st.integers(0, 60))
def test_the_same_hosts_are_chosen_for_the_same_places(places, count):
    assert spread(places, count) == spread(list(places), count)


@given(_lists_of_places(), st.integers(0, 30), st.integers(0, 30))
def test_two_scale_outs_end_where_one_would(places, first, second):
    once = spread(places, first + second)
    added = Counter(spread(places, first))
    later = [
        Place(
            place.host,
            place.of_type + added[place.host],
            place.in_all + added[place.host],
            place.weight,
            None if place.room is None else place.room - added[place.host],
        )
        for place in places
    ]

    assert Counter(once) == added + Counter(spread(later, second))


@given(_scale_ins())
def test_those_that_leave_are_as_many_different_candidates_as_asked_for(scale_in):
    places, candidates, count = scale_in
    leavers = choose_leavers(candidates, places, count)

    assert len({(one.host, one.number) for one in leavers}) == len(leavers) == min(count, len(candidates))
    assert set(leavers) <= set(candidates)
    assert choose_leavers(candidates, places, count) == leavers


@given(_scale_ins())
def test_failed_ones_leave_first_and_then_those_out_of_reach(scale_in):
    places, candidates, count = scale_in
    ranks = [0 if one.has_failed else 1 if not one.is_up else 2 for one in choose_leavers(candidates, places, count)]

    assert ranks == sorted(0 if one.has_failed else 1 if not one.is_up else 2 for one in candidates)[:count]


@given(_scale_ins())
def test_of_those_that_work_the_idlest_leave_first_where_a_reading_tells(scale_in):
    places, candidates, count = scale_in
    working = [one for one in candidates if one.is_up and not one.has_failed]
    loads = [one.load if one.load is not None else float("inf") for one in choose_leavers(working, places, count)]

    assert loads == sorted(loads)


@given(_lists_of_places(weights=st.just(1.0), rooms=st.none()), st.integers(0, 60))
def test_scale_in_leaves_no_host_with_more_than_one_above_another_that_lost_one(places, count):
    candidates = [one for place in places for one in _up(place.host, *range(1, place.of_type + 1))]
    lost = Counter(leaver.host for leaver in choose_leavers(candidates, places, count))
    left = {place.host: place.of_type - lost[place.host] for place in places}

    assert all(left[host] >= max(left.values()) - 1 for host in lost)


def test_the_fewest_of_the_type_come_before_the_fewest_in_all():
    places = [Place("app1", of_type=1, in_all=1), Place("app2", of_type=0, in_all=9), Place("app3", of_type=0, in_all=8)]

    assert spread(places, 4) == ["app3", "app2", "app1", "app3"]


def test_twice_the_weight_takes_twice_as_many():
    assert Counter(spread([Place("app1", 0, 0, weight=2.0), Place("app2", 0, 0)], 6)) == {"app1": 4, "app2": 2}


def test_the_highest_number_of_the_fullest_host_leaves_first():
    places = [Place("app1", 2, 2), Place("app2", 3, 3)]
    leavers = choose_leavers(_up("app1", 1, 2) + _up("app2", 1, 4, 7), places, 3)

    assert [(one.host, one.number) for one in leavers] == [("app2", 7), ("app2", 4), ("app1", 2)]


def test_one_of_a_host_that_takes_no_more_leaves_although_its_fullness_is_not_known():
    assert choose_leavers([Candidate("gone", 1, is_up=False), *_up("app1", 1)], [Place("app1", 1, 1)], 1) == [Candidate("gone", 1, is_up=False)]
