from autoscaler.demo.ending import Ending


def test_the_first_interruption_lets_processes_drain():
    ending = Ending()
    ending.interrupt()
    assert (ending.stop.is_set(), ending.interrupted.is_set(), ending.hurry.is_set()) == (True, True, False)


def test_the_second_interruption_hurries():
    ending = Ending()
    ending.interrupt()
    ending.interrupt()
    assert ending.hurry.is_set()


def test_an_end_in_time_is_no_interruption():
    ending = Ending()
    ending.stop.set()
    assert not ending.interrupted.is_set()
