from autoscaler_simulations.engine.timetable import Timetable


def test_calls_come_in_the_order_of_time_and_then_of_their_place():
    timetable, called = Timetable(), []
    timetable.every(2, 0.0, 1, lambda at: called.append(("tick", at)))
    timetable.every(1, 0.0, 0, lambda at: called.append(("poll", at)))
    timetable.once(1.5, 2, lambda at: called.append(("once", at)))
    assert list(timetable.run(2)) == [0, 0, 1, 1.5, 2, 2]
    assert called == [("poll", 0), ("tick", 0), ("poll", 1), ("once", 1.5), ("poll", 2), ("tick", 2)]


def test_a_call_may_plan_another():
    timetable, called = Timetable(), []
    timetable.once(1, 0, lambda at: timetable.once(at + 1, 0, called.append))
    list(timetable.run(5))
    assert called == [2]


def test_tenths_of_a_second_do_not_drift():
    timetable, count = Timetable(), 0
    timetable.every(0.1, 31_536_000.0, 0, lambda _: None)
    for at in timetable.run(31_556_000.0):
        assert at == round(31_536_000.0 + count / 10, 1)
        count += 1
    assert count == 200_001
