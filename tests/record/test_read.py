from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.events import Notice
from autoscaler.model import Abstain, Adjustment, Counts, Decision, Missing, Observation, PolicyAnswer, ProcessType, Reading, Recommendation
from autoscaler.record import Circumstances, CutLine, RecordedDecision, RecordError, Start, decision_line, notice_line, read_record, to_json

START = '{"event": "start", "version": "1", "at": 1.0, "now": 0.5, "configuration": {"interval": "5s"}, "state": null}'
PAUSE = '{"event": "pause", "at": 2.0, "now": 1.5, "process_type": "web"}'

counts = st.integers(0, 10_000)
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
sentences = st.text(max_size=30).filter(lambda text: " is missing: " not in text)
numbers = st.floats(allow_nan=False, allow_infinity=False)
memories = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
answers = (
    st.builds(Recommendation, counts, st.text(), memories) | st.builds(Abstain, sentences, memories) | st.builds(Missing, names, st.text(), memories)
)


def microseconds(most: float) -> st.SearchStrategy[float]:
    return st.integers(0, round(most * 1e6)).map(lambda count: count / 1e6)


@st.composite
def observations(draw) -> Observation:
    now = draw(microseconds(1e9))
    metrics = draw(st.lists(names, unique=True, max_size=3))
    ages = draw(st.lists(microseconds(1000), min_size=len(metrics), max_size=len(metrics)))
    by_process = st.none() | st.dictionaries(names, numbers, max_size=3)
    return Observation(
        now=now,
        at=draw(microseconds(4e9)),
        process_type=ProcessType(name=draw(names), minimum=0, maximum=9),
        counts=draw(st.builds(Counts, *[counts] * 6)),
        readings={
            metric: Reading(metric, draw(numbers), round(now - age, 6), draw(st.sampled_from([0.0, 60.0])), draw(by_process))
            for metric, age in zip(metrics, ages, strict=True)
        },
        missing=draw(st.dictionaries(names, st.text(), max_size=2)),
        startup_seconds=draw(microseconds(100)),
    )


decisions = st.builds(
    Decision,
    observation=observations(),
    answers=st.lists(st.builds(PolicyAnswer, names, answers), max_size=3).map(tuple),
    adjustments=st.lists(st.builds(Adjustment, names, counts, counts, st.text()), max_size=3).map(tuple),
    target=counts,
    action=st.sampled_from(["scale_out", "scale_in", "hold", "none"]),
    reason=st.text(),
)


@given(decisions)
def test_observation_is_read_back_equal(decision):
    observation = decision.observation

    (entry,) = read_record([to_json(decision_line(decision))])

    assert isinstance(entry, RecordedDecision)
    assert entry.observation(observation.process_type, Circumstances(startup_seconds=observation.startup_seconds)) == observation
    assert entry.process_type == observation.process_type.name


@given(decisions)
def test_decision_is_read_back_equal(decision):
    (entry,) = read_record([to_json(decision_line(decision))])

    assert (entry.answers, entry.adjustments) == (decision.answers, decision.adjustments)
    assert (entry.target, entry.action, entry.reason) == (decision.target, decision.action, decision.reason)


def test_start_is_read_back():
    assert list(read_record([START])) == [Start(version="1", at=1.0, now=0.5, configuration={"interval": "5s"}, state=None)]


def test_unknown_event_is_kept_as_notice():
    notice = Notice(event="full_moon", now=1.5, at=2.5, details={"phase": 1})

    assert list(read_record([to_json(notice_line(notice))])) == [notice]


def test_event_without_times_has_those_before_it():
    entries = list(read_record([START, '{"event": "summary", "jobs_done": 3}']))

    assert entries[1] == Notice(event="summary", now=0.5, at=1.0, details={"jobs_done": 3})


def test_event_without_any_times_is_an_error():
    with pytest.raises(RecordError, match="line 1: at: Field required"):
        list(read_record(['{"event": "summary"}']))


def test_blank_lines_are_passed_over():
    assert len(list(read_record(["\n", START + "\n", "\n", PAUSE + "\n"]))) == 2


def test_line_cut_off_at_the_end_is_a_warning():
    *_, last = read_record([START, PAUSE, PAUSE[:20]])

    assert last == CutLine(3, "line 3, column 20: not whole JSON: Unterminated string starting at")


def test_line_cut_off_before_another_start_is_a_warning():
    entries = list(read_record([START, PAUSE[:20], START]))

    assert [type(entry) for entry in entries] == [Start, CutLine, Start]


@pytest.mark.parametrize("following", [PAUSE, PAUSE[:20]])
def test_broken_line_in_the_middle_is_an_error(following):
    with pytest.raises(RecordError, match="line 2, column 20: not whole JSON"):
        list(read_record([START, PAUSE[:20], following, START]))


@pytest.mark.parametrize("line", ["[]", "7", "null", "{}", '{"event": 7}'])
def test_line_that_is_no_event_is_an_error(line):
    with pytest.raises(RecordError, match="line 2, column 1: not an object with an"):
        list(read_record([START, line]))


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("target", "4", "target: Input should be a valid integer"),
        ("action", "explode", "action: Input should be"),
        ("now", float("nan"), "now: Input should be a finite number"),
        (
            "readings",
            {"jobs_waiting": {"value": "700", "at": 1.0, "by_process": None}},
            "readings.jobs_waiting.value: Input should be a valid number",
        ),
        ("adjustments", [{"rule": "limits", "from": 1.5, "to": 1, "reason": ""}], "adjustments.0.from: Input should be a valid integer"),
    ],
)
def test_wrong_value_is_named_with_line_and_key(decision, key, value, named):
    line = json.dumps(decision_line(decision) | {key: value})

    with pytest.raises(RecordError, match=f"^line 2: {named}"):
        list(read_record([START, line]))


@pytest.mark.parametrize("key", ["now", "process_type", "observed", "readings", "missing", "recommendations", "adjustments", "target", "reason"])
def test_missing_key_is_named(decision, key):
    line = decision_line(decision)
    del line[key]

    with pytest.raises(RecordError, match=f"line 1: {key}: Field required"):
        list(read_record([json.dumps(line)]))


def test_a_reading_without_a_window_is_momentary(decision):
    (entry,) = read_record([to_json(decision_line(decision))])

    assert entry.readings["jobs_waiting"].window_seconds == 0.0


def test_circumstances_are_part_of_the_observation(decision):
    (entry,) = read_record([to_json(decision_line(decision))])
    told = Circumstances(startup_seconds=4.0, is_crash_looping=True, is_called=True, room=3)

    observation = entry.observation(decision.observation.process_type, told)

    assert (observation.startup_seconds, observation.is_crash_looping, observation.is_called, observation.room) == (4.0, True, True, 3)
