"""Deriving the options of a plug-in from its dataclass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest

from autoscaler.config.annotations import UnreadableFieldError
from autoscaler.config.derive import model_of, options_of
from autoscaler.config.document import parse
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.part import Part
from autoscaler.config.plugins import Registry
from autoscaler.config.readers import Surroundings
from autoscaler.config.reading import read_plugin
from autoscaler.config.report import Report
from autoscaler.config.substitution import substitute
from autoscaler.model import Duration, FilePath, Help, PathName, Seconds

_KEYS = ["name", "within", "at_seconds", "kind", "labels", "sizes", "login", "logins", "file", "either", "json"]


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    tries: int = 3

    def __post_init__(self):
        if self.tries > 5:
            raise ValueError(f"{self.tries} tries are too many; write 5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """An option of each kind."""

    name: Annotated[str, Help("what it is called")]
    within_seconds: Duration = 60.0
    at_seconds: float = 1.0
    kind: Literal["a", "b"] = "a"
    labels: Mapping[str, str] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()
    login: Login | None = None
    logins: tuple[Login, ...] = ()
    file: PathName = "data.txt"
    either: str | tuple[str, ...] | Login = "x"
    json: str = ""
    state: dict[str, int] = field(default_factory=dict, init=False)


def _read(text: str, plugin: type = Everything, **environment: str):
    document = substitute(parse(f"it: {text}", "a.yaml"), environment)
    report = Report(document)
    value = read_plugin(plugin, Part(("it",), document.data["it"], report, Registry(()), Surroundings(Path("/srv/app"))))
    report.finish()
    return value


def _refusal(text: str, plugin: type = Everything, **environment: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        _read(text, plugin, **environment)
    return [line.removeprefix("a.yaml:") for line in str(caught.value).splitlines()]


def test_options_are_the_fields_that_are_initialised():
    assert [option.key for option in options_of(Everything)] == _KEYS


def test_what_is_left_out_has_the_plugins_own_default():
    assert _read("{name: x}") == Everything(name="x", file="/srv/app/data.txt")


def test_every_kind_of_field_is_read():
    text = "{name: x, within: 5s, kind: b, labels: {a: b}, sizes: [1, 2], login: {user: me}, logins: [{user: you, tries: 1}], file: a, "
    text += "either: [p], json: j}"
    assert _read(text) == Everything(
        name="x",
        within_seconds=5.0,
        kind="b",
        labels={"a": "b"},
        sizes=(1, 2),
        login=Login("me"),
        logins=(Login("you", 1),),
        file="/srv/app/a",
        either=("p",),
        json="j",
    )


def test_model_is_strict_and_forbids_other_keys():
    assert model_of(Everything).model_config["extra"] == "forbid"
    assert model_of(Everything).model_config["strict"] is True


def test_plugin_without_options_may_have_an_empty_value():
    @dataclass(frozen=True)
    class Nothing:
        pass

    assert _read("", Nothing) == Nothing()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("{}", ["1:1: it.name: missing; add name (what it is called)"]),
        ("{name: x, kin: b}", ["1:15: it.kin: unknown key; did you mean kind?"]),
        ("{name: x, within_seconds: 5}", ["1:15: it.within_seconds: unknown key; did you mean within?"]),
        ("{name: x, login: {user: me, tires: 1}}", ["1:33: it.login.tires: unknown key; did you mean tries?"]),
        ("{name: x, login: {}}", ["1:15: it.login.user: missing; add user"]),
        ("{name: x, login: me}", ["1:22: it.login: 'me' is text, not a mapping; write keys with values below it"]),
        ("{name: x, login: {user: me, tries: 6}}", ["1:15: it.login: 6 tries are too many; write 5"]),
        (
            "{name: x, logins: [{user: me}, {usr: me}]}",
            ["1:36: it.logins[1].user: missing; add user", "1:37: it.logins[1].usr: unknown key; did you mean user?"],
        ),
        ("{name: x, either: {user: 1}}", ["1:30: it.either.user: 1 is a number, not text; write '1' in quotes"]),
        ("{name: x, labels: {a: 1}}", ["1:27: it.labels.a: 1 is a number, not text; write '1' in quotes"]),
        ("{name: x, sizes: [1, x]}", ["1:26: it.sizes[1]: 'x' is text, not a whole number; write a number such as 5"]),
        ("[1]", ["1:5: it: this is a list, not a mapping; write the keys " + ", ".join(_KEYS) + " with their values"]),
        ('{name: x, either: {user: y, "\\0": z}}', ["1:33: it.either.'\\x00': unknown key; use one of user, tries"]),
    ],
)
def test_mistake_in_an_option_is_told_at_its_place(text, sentences):
    assert _refusal(text) == sentences


@dataclass(frozen=True)
class Careless:
    name: str = ""

    def __post_init__(self):
        if self.name:
            raise TypeError("an oversight")


def test_oversight_of_the_author_is_a_mistake_and_no_traceback():
    assert _refusal("{name: x}", Careless) == ["1:1: it: the plug-in failed with TypeError('an oversight')"]


@dataclass
class Thawed:
    name: str


@dataclass(frozen=True)
class Odd:
    name: complex


@dataclass(frozen=True)
class Alike:
    name: Annotated[str, FilePath()] | Annotated[float, Seconds()]


@dataclass(frozen=True)
class Unresolved:
    name: "NoSuchName"  # noqa: F821 - that is the point


@pytest.mark.parametrize(
    ("plugin", "sentence"),
    [
        (Thawed, "Thawed is no frozen dataclass; decorate it with @dataclass(frozen=True)"),
        (dict, "dict is no frozen dataclass; decorate it with @dataclass(frozen=True)"),
        (Odd, "<class 'complex'> cannot be written in a configuration; use bool, int"),
        (Alike, "cannot be told apart in a configuration; use types of different kinds"),
        (Unresolved, "the annotations of Unresolved do not resolve (name 'NoSuchName' is not defined); import their names at run time"),
    ],
)
def test_plugin_that_cannot_be_configured_says_why(plugin, sentence):
    with pytest.raises(UnreadableFieldError) as caught:
        model_of(plugin)
    assert sentence in str(caught.value)
