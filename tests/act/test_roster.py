"""The roster takes counts from any thread, for types that are there."""

from __future__ import annotations

from autoscaler.act.local.slots import TypeState
from autoscaler.act.roster import Roster
from tests.local_formation import process_type


def test_a_removed_type_cannot_be_scaled():
    roster: Roster[TypeState] = Roster()
    state = roster.types["web"] = TypeState(process_type=process_type(), index=0, room=100)
    roster.touch(state)
    roster.publish()
    assert set(roster.set_desired({"web": 2, "job": 1})) == {"web"}
    roster.remove(state)
    assert roster.set_desired({"web": 2}) == {}
    assert state.desired == 0
