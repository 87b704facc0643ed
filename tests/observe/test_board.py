"""Hold the board to its rules: what counts, what hides a reading, and what is never lost or counted twice."""

import threading
from dataclasses import dataclass, field

import pytest

from autoscaler.clock import VirtualClock
from autoscaler.model import Address, AutoscalerError, Reading
from autoscaler.observe.board import Board
from autoscaler.observe.metric import MetricSettings
from autoscaler.observe.source import Poll, SourceError


class BrokenError(AutoscalerError):
    """What a plug-in raises that knows nothing of SourceError."""


@dataclass(frozen=True)
class Scripted:
    """A source that answers what the test put into ``answers``: a value, a value with its age, a reading, or an error."""

    name: str = "jobs"
    answers: list[object] = field(default_factory=list, compare=False)
    polls: list[Poll] = field(default_factory=list, compare=False)

    def read(self, poll: Poll) -> Reading:
        self.polls.append(poll)
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Reading):
            return answer
        value, age = answer if isinstance(answer, tuple) else (answer, 0.0)
        return poll.reading(value, age_seconds=age)


@dataclass(frozen=True)
class Living(Scripted):
    """A scripted source whose exporter can be dead."""

    deaths: list[str | None] = field(default_factory=list, compare=False)
    asked: list[tuple[str, Poll]] = field(default_factory=list, compare=False)

    def check_alive(self, query: str, poll: Poll) -> None:
        self.asked.append((query, poll))
        death = self.deaths.pop(0)
        if callable(death):
            death = death()
        if death is not None:
            raise SourceError(death)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(now=100.0, wall=5000.0)


def _board(clock: VirtualClock, *answers: object, **settings: object) -> Board:
    return Board((MetricSettings(name="jobs", source=Scripted(answers=list(answers)), **settings),), clock)


def _poll(board: Board, times: int = 1) -> None:
    for _ in range(times):
        board.poll("jobs", {})


def _now(board: Board, clock: VirtualClock) -> tuple[float | None, str | None, int]:
    entry = board.entries(clock.now())["jobs"]
    return entry.reading and entry.reading.value, entry.cause, entry.errors


def test_a_metric_that_was_never_polled_says_so(clock):
    board = _board(clock)
    assert _now(board, clock) == (None, "not read yet", 0)
    assert not board.asked("jobs")
    assert not board.all_asked()


def test_a_reading_is_on_the_board_with_its_time(clock):
    board = _board(clock, (7.0, 2.0))
    _poll(board)
    assert board.entries(100.0)["jobs"].reading == Reading("jobs", 7.0, 98.0)
    assert board.all_asked()


def test_the_source_learns_times_window_and_processes(clock):
    source = Scripted(answers=[1.0])
    board = Board((MetricSettings(name="jobs", source=source, timeout_seconds=3.0, window_seconds=60.0),), clock)
    board.poll("jobs", {"web.1": Address("127.0.0.1", 9000)})
    web = {"web.1": Address("127.0.0.1", 9000)}
    assert source.polls == [Poll(metric="jobs", now=100.0, at=5000.0, timeout_seconds=3.0, window_seconds=60.0, processes=web)]


def test_a_failed_poll_says_why(clock):
    board = _board(clock, SourceError("connection refused by 127.0.0.1:9090"))
    _poll(board)
    assert _now(board, clock) == (None, "connection refused by 127.0.0.1:9090", 1)
    assert board.all_asked()


def test_a_young_reading_outlives_a_failed_poll(clock):
    board = _board(clock, 7.0, SourceError("refused"))
    _poll(board)
    clock.advance(15)
    _poll(board)
    assert _now(board, clock) == (7.0, None, 1)


def test_an_old_reading_is_hidden_by_a_failed_poll(clock):
    board = _board(clock, 7.0, SourceError("refused"))
    _poll(board, 2)
    clock.advance(47)
    assert _now(board, clock) == (None, "refused; the newest sample is 47 s old", 1)


def test_a_stale_reading_is_missing(clock):
    board = _board(clock, (7.0, 8.5))
    _poll(board)
    clock.advance(7)
    assert _now(board, clock) == (None, "newest sample is 16 s old, more than max_age 15 s", 0)


def test_a_reading_exactly_as_old_as_max_age_counts(clock):
    board = _board(clock, 7.0, max_age_seconds=4.0)
    _poll(board)
    clock.advance(4)
    assert _now(board, clock) == (7.0, None, 0)
    clock.advance(0.5)
    assert _now(board, clock) == (None, "newest sample is 4.5 s old, more than max_age 4 s", 0)


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_a_step_of_the_wall_clock_changes_nothing(clock, step):
    board = _board(clock, 7.0)
    _poll(board)
    clock.step_wall(step)
    clock.advance(14)
    assert _now(board, clock) == (7.0, None, 0)


def test_a_reading_that_came_back_clears_the_cause(clock):
    board = _board(clock, SourceError("refused"), 7.0)
    _poll(board, 2)
    clock.advance(20)
    assert _now(board, clock) == (None, "newest sample is 20 s old, more than max_age 15 s", 1)


def test_an_older_sample_does_not_replace_a_newer_one(clock):
    board = _board(clock, (7.0, 1.0), (9.0, 5.0), (8.0, 1.0))
    _poll(board, 2)
    assert _now(board, clock) == (7.0, None, 0)
    _poll(board)
    assert _now(board, clock) == (8.0, None, 0)


def test_an_answer_after_its_deadline_is_discarded(clock):
    board = _board(clock, lambda: clock.advance(5.5) or 9.0, timeout_seconds=3.0)
    _poll(board)
    assert _now(board, clock) == (None, "no answer within 3 s; it came after 5.5 s", 1)


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading("jobs", float("nan"), 100.0), "the value is nan"),
        (Reading("jobs", float("inf"), 100.0), "the value is inf"),
        (Reading("jobs", 1.0, 1_763_800_000.0), "the reading says that it is from the future; a source takes its time from the poll"),
    ],
)
def test_a_reading_that_no_source_should_make_is_refused(clock, reading, said):
    board = _board(clock, reading)
    _poll(board)
    assert _now(board, clock) == (None, said, 1)


def test_an_unforeseen_exception_is_kept_and_let_through(clock):
    board = _board(clock, BrokenError("wires crossed"), 7.0)
    with pytest.raises(BrokenError, match="wires crossed"):
        _poll(board)
    assert _now(board, clock) == (None, "BrokenError: wires crossed", 1)
    _poll(board)
    assert _now(board, clock) == (7.0, None, 1)


def test_the_guard_rewords_an_exception_without_counting_it_again(clock):
    board = _board(clock, BrokenError("wires crossed"), SourceError("refused"))
    with pytest.raises(BrokenError):
        _poll(board)
    board.failed("jobs", "it failed unforeseen")
    assert _now(board, clock) == (None, "it failed unforeseen", 1)
    board.failed("jobs", "no thread")
    _poll(board)
    board.failed("jobs", "no thread")
    assert _now(board, clock) == (None, "no thread", 4)


def test_a_failure_of_a_metric_that_left_is_ignored(clock):
    board = _board(clock)
    board.failed("gone", "refused")
    assert set(board.entries(100.0)) == {"jobs"}


def test_an_unknown_metric_cannot_be_polled(clock):
    with pytest.raises(KeyError):
        _board(clock).poll("gone", {})


class Hanging:
    """A source that hangs until the test lets it go."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()

    def read(self, poll: Poll) -> Reading:
        self.is_asked.set()
        assert self.may_answer.wait(20)
        return poll.reading(7.0)


@pytest.fixture
def hanging(clock):
    """Give a board with a poll in flight, the source that holds it, and how to let it land."""
    source = Hanging()
    board = Board((MetricSettings(name="jobs", source=source, timeout_seconds=3.0),), clock)
    thread = threading.Thread(target=board.poll, args=("jobs", {}))
    thread.start()
    assert source.is_asked.wait(20)

    def land() -> None:
        source.may_answer.set()
        thread.join()

    yield board, land
    land()


def test_a_poll_in_flight_is_overdue_after_its_deadline(hanging, clock):
    board, land = hanging
    clock.advance(3)
    assert _now(board, clock) == (None, "not read yet", 0)
    assert not board.all_asked()
    clock.advance(0.5)
    assert _now(board, clock) == (None, "no answer within 3 s", 0)
    assert board.all_asked()
    land()
    assert _now(board, clock) == (None, "no answer within 3 s; it came after 3.5 s", 1)


def test_a_second_poll_while_one_is_in_flight_asks_nothing(hanging, clock):
    board, land = hanging
    _poll(board)
    land()
    assert _now(board, clock) == (7.0, None, 0)


def test_a_poll_beside_one_that_is_overdue_is_an_error(hanging, clock):
    board, land = hanging
    clock.advance(3.5)
    _poll(board)
    assert _now(board, clock) == (None, "no answer within 3 s", 1)
    land()


def test_a_reload_during_a_poll_starts_the_changed_metric_anew(hanging, clock):
    board, land = hanging
    board.replace((MetricSettings(name="jobs", source=Scripted(answers=[1.0])),))
    land()
    assert _now(board, clock) == (None, "not read yet", 0)


def test_a_reload_keeps_what_did_not_change(clock):
    old, new = Scripted("a", [7.0]), Scripted("a")
    board = Board((MetricSettings(name="jobs", source=old), MetricSettings(name="gone", source=Scripted("b"))), clock)
    _poll(board)
    board.replace((MetricSettings(name="jobs", source=new), MetricSettings(name="more", source=Scripted("c"))))
    assert _now(board, clock) == (7.0, None, 0)
    assert set(board.entries(100.0)) == {"jobs", "more"}
    assert not board.all_asked()


def test_a_reload_forgets_what_changed(clock):
    board = _board(clock, 7.0)
    _poll(board)
    board.replace((MetricSettings(name="jobs", source=Scripted(), every_seconds=1.0),))
    assert _now(board, clock) == (None, "not read yet", 0)


def _living(clock: VirtualClock, deaths: list[str | None], *answers: object) -> tuple[Board, Living]:
    source = Living(answers=list(answers), deaths=deaths)
    return Board((MetricSettings(name="jobs", source=source, alive="up", timeout_seconds=3.0),), clock), source


def test_a_dead_exporter_hides_its_reading_at_once(clock):
    board, _ = _living(clock, [None, "'up' is 0", None], 7.0, 8.0)
    _poll(board)
    assert _now(board, clock) == (7.0, None, 0)
    _poll(board)
    assert _now(board, clock) == (None, "its exporter is not alive: 'up' is 0", 1)
    _poll(board)
    assert _now(board, clock) == (8.0, None, 1)


def test_a_living_exporter_that_fails_keeps_its_young_reading(clock):
    board, _ = _living(clock, [None, "'up' is 0", None], 7.0, SourceError("refused"))
    _poll(board, 3)
    assert _now(board, clock) == (7.0, None, 2)


def test_liveness_and_reading_share_one_deadline(clock):
    board, source = _living(clock, [lambda: clock.advance(2)], 7.0)
    _poll(board)
    query, first = source.asked[0]
    second = source.polls[0]
    assert (query, first.now, first.timeout_seconds) == ("up", 100.0, 3.0)
    assert (second.now, second.at, second.timeout_seconds) == (102.0, 5002.0, 1.0)


def test_a_liveness_check_that_takes_all_the_time_leaves_none_to_read(clock):
    board, source = _living(clock, [lambda: clock.advance(3)])
    _poll(board)
    assert _now(board, clock) == (None, "no answer within 3 s", 1)
    assert source.polls == []


def test_a_source_that_cannot_check_liveness_says_so(clock):
    board = _board(clock, 7.0, alive="up")
    _poll(board)
    assert _now(board, clock) == (None, "alive is set, but this kind of source cannot check it; remove alive", 1)


def test_errors_are_counted_for_each_metric_alone(clock):
    metrics = tuple(MetricSettings(name=name, source=Scripted(name, [SourceError("refused")])) for name in "ab")
    board = Board(metrics, clock)
    board.poll("a", {})
    assert [board.entries(100.0)[name].errors for name in "ab"] == [1, 0]


def test_many_threads_lose_no_count(clock):
    polls = 50
    board = Board([MetricSettings(name=f"m{n}", source=Scripted(f"m{n}", [SourceError("x")] * polls)) for n in range(8)], clock)
    threads = [threading.Thread(target=lambda name=f"m{n}": [board.poll(name, {}) for _ in range(polls)]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry.errors for entry in board.entries(100.0).values()} == {polls}
