from autoscaler_simulations.engine.callers import Callers


def ringing(callers, moments, *, is_called=True):
    return [at for at in moments if callers.rings("web", at, is_called=is_called)]


def test_a_connection_rings_at_once_and_then_after_pauses_that_double_to_half_a_minute():
    assert ringing(Callers(), range(120)) == [0, 1, 3, 7, 15, 31, 61, 91]


def test_a_connection_after_one_that_was_taken_rings_at_once():
    callers = Callers()
    assert ringing(callers, [0, 0.5]) == [0]
    assert ringing(callers, [0.6], is_called=False) == []
    assert ringing(callers, [0.7]) == [0.7]


def test_each_type_rings_for_itself():
    callers = Callers()
    assert callers.rings("web", 0, is_called=True)
    assert callers.rings("worker", 0, is_called=True)
