"""Hold what is remembered of a job from look to look, on a clock of its own."""

import pytest

from autoscaler.act.nomad.sighting import Observer, Picture
from autoscaler.act.nomad.wire import Allocation, GroupStatus, ScaleStatus
from autoscaler.clock import VirtualClock
from autoscaler.model import Counts


@pytest.fixture
def clock():
    return VirtualClock(now=1000.0, wall=1_800_000_000.0)


@pytest.fixture
def observer(clock):
    return Observer("shop", clock)


def picture(desired: int, *allocations: Allocation) -> Picture:
    group = GroupStatus(Desired=desired, Placed=len(allocations), Running=0)
    return Picture(ScaleStatus(JobModifyIndex=5, JobStopped=False, TaskGroups={"web": group}), allocations)


def allocation(number: int, **fields: object) -> Allocation:
    common = {"ID": f"{number}0000000-0", "Name": f"shop.web[{number}]", "TaskGroup": "web", "CreateIndex": number, "JobType": "service"}
    return Allocation(**{**common, "DesiredStatus": "run", "ClientStatus": "running", **fields})


def test_what_waits_for_a_place_for_long_is_told_until_it_has_one(observer, clock):
    assert observer.sight("web", "web", picture(2, allocation(0))).notes == ()
    clock.advance(31)
    assert observer.sight("web", "web", picture(2, allocation(0))).notes == ("1 of web wait for a place: `nomad job status shop` says why",)
    assert observer.sight("web", "web", picture(1, allocation(0))).notes == ()
    assert observer.sight("web", "web", picture(2, allocation(0))).notes == ()


def test_what_was_healthy_once_is_forgotten_when_it_is_gone(observer):
    healthy = allocation(0, DeploymentStatus={"Healthy": True})
    observer.take(picture(1, healthy))
    assert observer.sight("web", "web", picture(1, allocation(0))).counts == Counts(desired=1, running=1)
    observer.take(picture(1))
    assert observer.sight("web", "web", picture(1, allocation(0))).counts == Counts(desired=1, starting=1)


def test_an_allocation_without_a_number_is_named_by_its_id(observer):
    (process,) = observer.sight("web", "web", picture(1, allocation(7, Name="shop.web"))).processes
    assert process.name == "web.70000000"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"ClientStatus": "running", "JobType": "batch"}, "running"),
        ({"ClientStatus": "pending"}, "starting"),
        ({"ClientStatus": "unknown"}, "unknown"),
        ({"ClientStatus": "something new"}, "unknown"),
        ({"ClientStatus": "failed"}, "failed"),
        ({"ClientStatus": "lost"}, "failed"),
        ({"ClientStatus": "running", "DesiredStatus": "stop"}, "draining"),
        ({"ClientStatus": "pending", "DesiredStatus": "evict"}, "draining"),
    ],
)
def test_each_status_is_a_state(observer, fields, state):
    seen = observer.sight("web", "web", picture(0, allocation(0, **fields)))
    assert [each.state for each in seen.processes] == [state]
    assert getattr(seen.counts, state) == 1


@pytest.mark.parametrize(
    "fields", [{"ClientStatus": "complete"}, {"ClientStatus": "failed", "DesiredStatus": "stop"}, {"ClientStatus": "lost", "NextAllocation": "x"}]
)
def test_what_has_ended_does_not_count(observer, fields):
    assert observer.sight("web", "web", picture(0, allocation(0, **fields))).processes == ()
