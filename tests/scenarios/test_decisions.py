"""What operators have been burnt by elsewhere, each with its numbers."""

from autoscaler.act.starts import StartHistory
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, RateLimit, TypeSettings
from autoscaler.model import ProcessType, Reading
from autoscaler_policies.backlog import Backlog
from autoscaler_policies.step import Step
from autoscaler_policies.step_bands import Band
from autoscaler_policies.target import Target
from tests.scenarios.world import World

FREE = DirectionLimits()


def settings(*policies, maximum=60, **limits):
    named = tuple(NamedPolicy(f"p{index}", policy) for index, policy in enumerate(policies))
    return TypeSettings(process_type=ProcessType(name="worker", minimum=0, maximum=maximum, interval_seconds=5.0), policies=named, **limits)


def test_slow_starters_are_asked_for_once():
    """4 ready at 100 % against 50 %, 30 s start-up: 8 on every tick until they are ready, not 16, 32, 64."""
    world = World(settings(Target(metric="busy", utilization=0.5), scale_out=FREE), desired=4, startup=30.0)
    targets = [world.tick({"busy": Reading("busy", 4.0 / world.running, at=world.now)}).target for _ in range(12)]

    assert targets == [8] * 12


def test_broker_that_was_away_for_six_minutes_and_is_empty_takes_nothing_at_once():
    """40 workers, the metric gone for 6 min, back with 0: scale-in waits for a whole window, and then goes by quarters."""
    world = World(settings(Backlog(waiting="jobs", job_takes_seconds=1.0, clear_within_seconds=10.0)), desired=40)
    busy = [world.tick({"jobs": 400.0}).target for _ in range(70)]
    away = [world.tick({"jobs": "no answer"}).target for _ in range(72)]
    back = [world.tick({"jobs": 0.0}).target for _ in range(120)]

    assert (set(busy), set(away), set(back[:59])) == ({40}, {40}, {40})
    assert sorted(set(back), reverse=True)[:4] == [40, 30, 22, 16]
    assert back == sorted(back, reverse=True)


def test_controller_that_slept_takes_nothing_at_once():
    world = World(settings(Backlog(waiting="jobs", job_takes_seconds=1.0)), desired=40)
    world.tick({"jobs": 0.0})
    after = [world.tick({"jobs": 0.0}, after=3600.0 if index == 0 else None).target for index in range(59)]

    assert set(after) == {40}


def test_step_acts_once_on_a_signal_of_45_seconds():
    """+2 above 80 on a reading over 45 s, new every 5 s: one step, then a reading that lies wholly after it was ready."""
    world = World(settings(step(above=80, change=2), scale_out=FREE), desired=4, startup=10.0)
    targets = [world.tick({"load": Reading("load", 90.0, at=world.now + 5.0, window_seconds=45.0)}).target for _ in range(9)]

    assert targets == [6] * 9


def test_step_goes_on_when_the_signal_stays():
    world = World(settings(step(above=80, change=2), scale_out=FREE), desired=4, startup=10.0)
    targets = [world.tick({"load": Reading("load", 90.0, at=world.now + 5.0, window_seconds=45.0)}).target for _ in range(20)]

    assert sorted(set(targets)) == [6, 8]


def step(above, change):
    return Step(metric="load", bands=(Band(above=above, change=change),))


def test_wishes_that_swing_within_a_minute_do_not_flap():
    """10, then 8, 12, 8 within a minute: out to 12, and nothing back in before the window."""
    world = World(settings(Target(metric="load", per_process=1.0), scale_out=FREE), desired=10)
    targets = [world.tick({"load": load}).target for load in [10.0] * 3 + [8.0] * 4 + [12.0] * 4 + [8.0] * 4]

    assert targets == [10] * 7 + [12] * 8


def worker(**limits):
    policy = Backlog(waiting="waiting", busy="busy", completions="done", job_takes_seconds=1.0, clear_within_seconds=30.0)
    return settings(policy, maximum=400, scale_out=DirectionLimits(at_most=(RateLimit(25, "percent", 60.0),)), **limits)


def play(world, minutes, arrival, limit=float("inf")):
    """Let jobs of one second arrive; ``limit`` is what a database behind the workers lets through, jobs a second."""
    waiting, reasons = 200.0, []
    for tick in range(minutes * 12):
        done = min(world.running * 1.0, limit)
        waiting = max(0.0, waiting + (arrival(tick / 12) - done) * 5.0)
        reading = Reading("done", done, at=world.now + 5.0, window_seconds=5.0)
        reasons.append(world.tick({"waiting": waiting, "busy": float(world.running), "done": reading}).reason)
    return reasons


def test_flash_crowd_is_not_called_futile():
    """Load that grows by a quarter a minute, and workers that grow with it."""
    world = World(worker(futility="stop"), desired=20, startup=10.0)
    reasons = play(world, 12, lambda minute: 20.0 * 1.25 ** int(minute))

    assert not any("look at what the processes wait for" in reason for reason in reasons)
    assert world.desired > 150


def test_dead_database_behind_the_workers_is_called_futile():
    world = World(worker(futility="stop"), desired=20, startup=10.0)
    reasons = play(world, 20, lambda _minute: 30.0, limit=2.0)

    assert "look at what the processes wait for" in reasons[-1]
    assert world.desired <= 40


def test_one_poison_job_among_twenty_workers_does_not_freeze_the_type():
    """One process dies 15 times in a row while 19 run: it is no capacity, and no crash loop."""
    history = StartHistory()
    for number in range(1, 21):
        history.settle(history.begin(number))
    for _ in range(15):
        history.begin(7).has_failed = True

    assert not history.is_crash_looping(running=19)


def test_all_workers_dying_is_a_crash_loop():
    history = StartHistory()
    for number in range(1, 21):
        history.begin(number).has_failed = True

    assert history.is_crash_looping(running=0)
