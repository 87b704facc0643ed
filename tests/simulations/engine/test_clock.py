from autoscaler_simulations.engine.clock import SteppedClock


def test_both_times_go_on_together():
    clock = SteppedClock(1.7e9)
    clock.go_to(0.25)
    assert (clock.now(), clock.wall()) == (0.25, 1700000000.25)


def test_times_are_whole_microseconds():
    clock = SteppedClock(1.7e9)
    clock.go_to(1 / 3)
    assert (clock.now(), clock.wall()) == (0.333333, 1700000000.333333)
