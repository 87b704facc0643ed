"""Reading one value: what is taken, and the sentence for what is not."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from autoscaler.config.annotations import annotate
from autoscaler.config.readers import Surroundings
from autoscaler.config.substitution import Substituted
from autoscaler.decide.settings import RateLimit
from autoscaler.model import Address, Duration, DurationOrZero, FilePath, Metric, Number, Positive, Processes, Ratio, Seconds, Secret

_SURROUNDINGS = Surroundings(Path("/srv/app"), ("jobs", "requests"))
_EXAMPLES = "500ms, 30s, 5m, 1h or 1d"


def _read(hint, value):
    return TypeAdapter(annotate(hint, TypeAdapter)).validate_python(value, context=_SURROUNDINGS)


def _refusal(hint, value) -> str:
    with pytest.raises(ValidationError) as caught:
        _read(hint, value)
    return caught.value.errors()[0]["msg"]


def _from_environment(text: str, written: str = "${NAME}", defaults: tuple[str, ...] = ()) -> Substituted:
    value = Substituted(text)
    value.written, value.problem, value.values, value.defaults = written, None, (text,) if text else (), defaults
    return value


@pytest.mark.parametrize(
    ("hint", "value", "read"),
    [
        *[(str, "text", "text"), (bool, True, True), (int, 5, 5), (float, 5, 5.0), (float, 0.5, 0.5)],
        *[(Literal["a", "b"], "b", "b"), (Literal[1, 2], 2, 2), (int | None, None, None), (int | None, 3, 3)],
        *[(Duration, "500ms", 0.5), (Duration, "1h30m", 5400.0), (Duration, "1d", 86400.0), (DurationOrZero, "0s", 0.0), (Duration, "1.5h", 5400.0)],
        *[(Address, "127.0.0.1:80", Address("127.0.0.1", 80)), (Address, "[::1]:0", Address("::1", 0)), (Address, "a-b.c:1", Address("a-b.c", 1))],
        *[(RateLimit, "4 per 15s", RateLimit(4, "processes", 15.0)), (RateLimit, "25 % per 1m", RateLimit(25, "percent", 60.0))],
        *[(Metric, "jobs", "jobs"), (Annotated[str, FilePath()], "a/b", "/srv/app/a/b"), (Annotated[str, FilePath()], "/a", "/a")],
        *[(str | tuple[str, ...], "a", "a"), (str | tuple[str, ...], ["a"], ("a",)), (tuple[int, str], [1, "a"], (1, "a"))],
    ],
)
def test_value_is_read(hint, value, read):
    assert _read(hint, value) == read


@pytest.mark.parametrize(
    ("hint", "text", "read"),
    [
        (int, "5", 5),
        (float, "0.5", 0.5),
        (bool, "true", True),
        (Duration, "5s", 5.0),
        (str, "5", "5"),
        (Literal["5", 6], "6", 6),
        (Literal["5"], "5", "5"),
    ],
)
def test_text_of_the_environment_is_read_for_what_it_says(hint, text, read):
    value = _read(hint, _from_environment(text))
    assert value == read
    assert type(value) is type(read)


@pytest.mark.parametrize(
    ("hint", "value", "sentence"),
    [
        (int, "5", "'5' is text, not a whole number; write 5 without quotes"),
        (int, "many", "'many' is text, not a whole number; write a number such as 5"),
        (int, True, "true is not a whole number; write a number such as 5"),
        (int, 2.5, "2.5 is not a whole number; write 2 or 3"),
        (int, None, "the value is empty; write a number such as 5"),
        (int, [1], "this is a list, not a whole number; write a number such as 5"),
        (Processes, -1, "-1 is below 0; write at least 0"),
        (float, float("nan"), "nan is not a finite number; write one such as 0.5"),
        (float, float("-inf"), "-inf is not a finite number; write one such as 0.5"),
        (int, 10**20, "100000000000000000000 is too large to be meant; write a number such as 5"),
        (Annotated[int, Number(at_most=1000000)], 1000001, "1000001 is above 1000000; write at most 1000000"),
        (float, False, "false is not a number; write a number such as 0.5"),
        (float, "0.5", "'0.5' is text, not a number; write 0.5 without quotes"),
        (Positive, 0, "0 is not above 0; write more than 0"),
        (Ratio, 1.5, "1.5 is above 1; write at most 1"),
        (str, 5, "5 is a number, not text; write '5' in quotes"),
        (str, True, "true is not text; write 'true' in quotes"),
        (str, {}, "this is a mapping, not text; write a word"),
        (bool, "yes", "'yes' is text, not true or false; write true or false, without quotes"),
        (bool, 1, "1 is a number, not true or false; write true or false, without quotes"),
        (Literal["max", "min"], "maxx", "'maxx' is not one of max, min; did you mean max?"),
        (Literal["max", "min"], 5, "5 is not one of max, min; write one of them"),
        (Literal[True], 1, "1 is not one of true; write one of them"),
        (tuple[int, ...], 5, "5 is a number, not a list; write it in [ ], or one item a line after `- `"),
        (tuple[int, int], [1], "the list has 1 items; write 2"),
        (str | tuple[str, ...], 5, "5 is a number, not text or a list; write text or a list"),
        (Metric, "job", "'job' is not under `metrics:`; did you mean jobs? the metrics are jobs, requests"),
        (Metric, "x", "'x' is not under `metrics:`; the metrics are jobs, requests"),
        (Annotated[str, FilePath()], "", "'' is no path; write the name of a file"),
    ],
)
def test_wrong_value_is_refused_with_the_fix(hint, value, sentence):
    assert _refusal(hint, value) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (30, "30 has no unit; write 30s for seconds"),
        (0, "0 has no unit; write 0s for seconds"),
        ("30", "'30' has no unit; write 30s for seconds"),
        (-5, "-5 has no unit; write 30s for seconds"),
        ("0s", f"'0s' is too short; write a duration above 0s, such as {_EXAMPLES}"),
        ("-5s", f"'-5s' is negative; write a duration such as {_EXAMPLES}"),
        ("5 minutes", f"'5 minutes' is not a duration; write it such as {_EXAMPLES}"),
        ("2w", f"'2w' is not a duration; write it such as {_EXAMPLES}"),
        ("99999999999999d", f"'99999999999999d' is too long; write a duration such as {_EXAMPLES}"),
        (True, f"true is not a duration; write {_EXAMPLES}"),
        (None, f"the value is empty; write {_EXAMPLES}"),
    ],
)
def test_wrong_duration_is_refused_with_the_fix(value, sentence):
    assert _refusal(Duration, value) == sentence


def test_bounds_of_a_duration_are_written_as_one():
    assert _refusal(Annotated[float, Seconds(), Number(at_least=0.1)], "50ms") == "'50ms' is below 100ms; write at least 100ms"
    assert _refusal(Annotated[float, Seconds(), Number(at_most=172800)], "3d") == "'3d' is above 2d; write at most 2d"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (8000, "8000 has no host; write 127.0.0.1:8000 for this machine alone"),
        ("localhost", "'localhost' is not an address; write a host and a port such as 127.0.0.1:8000"),
        (":80", "':80' is not an address; write a host and a port such as 127.0.0.1:8000"),
        (
            "::1:80",
            "'::1:80' is not an address; write a host and a port such as 127.0.0.1:8000; an IPv6 host needs brackets, as in '[::1]:8000'",
        ),
        ("[web]:80", "'[web]:80' holds no IPv6 host in its brackets; write it such as '[::1]:8000'"),
        ("127.0.0.1:70000", "'127.0.0.1:70000' has a port above 65535; write a lower one"),
        ([], "this is a list, not an address; write a host and a port such as 127.0.0.1:8000"),
    ],
)
def test_wrong_address_is_refused_with_the_fix(value, sentence):
    assert _refusal(Address, value) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (4, "4 is a number, not a rate limit; write '4 per 15s' or '25% per 1m'"),
        ("4 per 15", "'4 per 15' is not a rate limit; write whole numbers such as '4 per 15s' or '25% per 1m'"),
        ("2.5% per 1m", "'2.5% per 1m' is not a rate limit; write whole numbers such as '4 per 15s' or '25% per 1m'"),
        ("0 per 15s", "'0 per 15s' would never let anything change; write at least 1, or use pause_scale_out or pause_scale_in"),
        ("4 per 0s", f"'0s' is too short; write a duration above 0s, such as {_EXAMPLES}"),
    ],
)
def test_wrong_rate_limit_is_refused_with_the_fix(value, sentence):
    assert _refusal(RateLimit, value) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("hunter2", "write it as ${NAME}, a secret does not belong in the file"),
        (12345, "write it as ${NAME}, a secret does not belong in the file"),
        (_from_environment("hunter2", "${NAME:-hunter2}", ("hunter2",)), "write it as ${NAME}, a secret does not belong in the file"),
        (_from_environment(""), "${NAME} is empty in the environment; set it to the secret"),
    ],
)
def test_secret_has_to_come_from_the_environment(value, sentence):
    assert _refusal(Annotated[str, Secret()], value) == sentence


def test_secret_is_read_from_the_environment():
    assert _read(Annotated[str | None, Secret()], _from_environment("12345")) == "12345"


@pytest.mark.parametrize(
    ("hint", "sentence"),
    [
        (int, "${NAME} is text, not a whole number; write a number such as 5"),
        (Duration, f"${{NAME}} is not a duration; write it such as {_EXAMPLES}"),
        (Literal["a"], "${NAME} is not one of a; write one of them"),
        (Address, "${NAME} is not an address; write a host and a port such as 127.0.0.1:8000"),
        (Metric, "${NAME} is not under `metrics:`; the metrics are jobs, requests"),
        (RateLimit, "${NAME} is not a rate limit; write whole numbers such as '4 per 15s' or '25% per 1m'"),
    ],
)
def test_refusal_never_shows_what_came_from_the_environment(hint, sentence):
    assert _refusal(hint, _from_environment("hunter2")) == sentence


def test_number_beyond_all_floats_is_refused():
    assert _refusal(float, 10**400).endswith("... is not a finite number; write one such as 0.5")
