import math

from autoscaler_simulations.plant.agenda import Agenda
from autoscaler_simulations.plant.process import SimulatedProcess


def happen_up_to(agenda, until):
    while (event := agenda.take(until)) is not None:
        event.happen()


def test_what_was_planned_first_comes_first_at_one_moment():
    agenda, happened = Agenda(), []
    for name in ("a", "b", "c"):
        agenda.plan(5.0, lambda name=name: happened.append(name))
    agenda.plan(4.0, lambda: happened.append("before"))

    happen_up_to(agenda, 5.0)

    assert happened == ["before", "a", "b", "c"]


def test_the_time_of_the_next_event_is_known():
    agenda = Agenda()
    assert agenda.next_at == math.inf

    agenda.plan(7.0, list)
    agenda.plan(5.0, list)
    assert agenda.next_at == 5.0

    happen_up_to(agenda, 6.0)
    assert agenda.next_at == 7.0


def test_what_was_planned_for_a_run_that_is_over_does_not_happen():
    agenda, happened, process = Agenda(), [], SimulatedProcess(number=1, serial=1)
    agenda.plan(5.0, lambda: happened.append("old"), process)
    process.serial = 2
    agenda.plan(5.0, lambda: happened.append("new"), process)

    happen_up_to(agenda, 10.0)

    assert happened == ["new"]
