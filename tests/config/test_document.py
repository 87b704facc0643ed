"""Reading YAML: plain data, the place of everything, and one clear sentence for what cannot be read."""

import pytest

from autoscaler.config.document import parse
from autoscaler.config.errors import ConfigurationError
from autoscaler.config.places import Place

_TEXT = """\
interval: 5s
formation:
  web:
    maximum: 4
    policies:
      - wish: {metric: jobs}
"""
_POLICY = ("formation", "web", "policies", 0, "wish")


def _refusal(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "a.yaml")
    return str(caught.value)


def test_document_is_plain_data():
    document = parse(_TEXT, "a.yaml")
    assert document.written == {"interval": "5s", "formation": {"web": {"maximum": 4, "policies": [{"wish": {"metric": "jobs"}}]}}}
    assert type(document.written["formation"]) is dict


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("interval",), Place(1, 1), Place(1, 11)),
        (("formation", "web", "maximum"), Place(4, 5), Place(4, 14)),
        (_POLICY, Place(6, 9), Place(6, 15)),
        ((*_POLICY, "metric"), Place(6, 16), Place(6, 24)),
    ],
)
def test_every_key_and_value_has_its_place(path, key, value):
    document = parse(_TEXT, "a.yaml")
    assert document.key_place(path) == key
    assert document.value_place(path) == value


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("formation", "web", "minimum"), Place(3, 3)),
        (("formation", "web", "policies", 7, "wish"), Place(5, 5)),
        (("listen",), Place(1, 1)),
        ((), Place(1, 1)),
    ],
)
def test_what_is_not_there_stands_at_the_key_around_it(path, place):
    assert parse(_TEXT, "a.yaml").value_place(path) == place


def test_keys_are_always_text():
    assert parse("1: a\nnull: b\ntrue: c\n", "a.yaml").written == {"1": "a", "null": "b", "true": "c"}


def test_quoted_scalars_and_blocks_stay_text():
    assert parse("a: '5'\nb: |\n  5\n", "a.yaml").written == {"a": "5", "b": "5\n"}


def test_characters_may_be_escaped_as_json_does_it():
    assert parse('a: "\\ud83d\\ude00"', "a.yaml").written == {"a": "\U0001f600"}
    assert _refusal('a: "\\ud83d"') == "a.yaml:1:4: a \\u escape stands for half a character; write the character itself"


def test_byte_order_mark_and_carriage_returns_do_no_harm():
    assert parse("\ufeffa: 1\r\nb: 2\r\n", "a.yaml").written == {"a": 1, "b": 2}


def test_repeated_keys_are_all_named_and_the_first_counts():
    document = parse("a: 1\nweb: {b: 1, b: 2}\na: {b: 3}\n", "a.yaml")
    assert [mistake.said_of("a.yaml") for mistake in document.mistakes] == [
        "a.yaml:2:13: web.b: the key 'b' stands here again, first in line 2; keep one of them",
        "a.yaml:3:1: a: the key 'a' stands here again, first in line 1; keep one of them",
    ]
    assert document.written == {"a": 1, "web": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: &x 1\nb: *x\n", "a.yaml:2:4: b: *x is an alias; write the value out, or put what all types share under `defaults:`"),
        ("a: !!int '5'\n", "a.yaml:1:4: a: the tag tag:yaml.org,2002:int is not read here; leave it out"),
        ("a: !mine {b: 1}\n", "a.yaml:1:4: a: the tag !mine is not read here; leave it out"),
    ],
)
def test_aliases_and_tags_are_mistakes(text, sentence):
    (mistake,) = parse(text, "a.yaml").mistakes
    assert mistake.said_of("a.yaml") == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "1:1: the file is empty; write one with: autoscaler init"),
        ("# only a comment\n", "1:1: the file is empty; write one with: autoscaler init"),
        ("- web\n", "1:1: the top level must be keys with values, such as `formation:`"),
        ("web\n", "1:1: the top level must be keys with values, such as `formation:`"),
        ("a:\n\tb: 1\n", "2:1: a tab cannot indent YAML; use spaces"),
        ("a: b: c\n", "1:5: a second `: ` on one line; put the text that holds it in quotes, or the key on a line of its own"),
        ("a: 'b\n", "2:1: a quote is opened and never closed; close it"),
        ("a: {b: ${C}}\n", "1:9: inside [ ] and { } a ${NAME} needs quotes; write '${NAME}'"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here; keep one, without `---` between"),
        ("? [a]\n: 1\n", "1:3: a key must be plain text; put quotes around a key that begins with {, [ or *"),
        ("*a : 1\n", "1:1: a key must be plain text; put quotes around a key that begins with {, [ or *"),
        ("a: 1\nb: \x01\n", "2:4: the character '\\x01' is not allowed in YAML; is this a text file?"),
        ("a: " + "[" * 40, "1:33: more than 30 levels of nesting; is a bracket missing above?"),
    ],
)
def test_unreadable_text_is_refused_in_one_sentence(text, sentence):
    assert _refusal(text) == f"a.yaml:{sentence}"


def test_other_faults_of_yaml_are_told_in_the_parsers_words():
    said = "found character '@' that cannot start any token; check the indentation and the quotes here and in the line above"
    assert _refusal("a: @b\n") == f"a.yaml:1:4: this is not YAML: {said}"


def test_mistakes_before_the_unreadable_place_are_told_too():
    assert _refusal("a: 1\na: 2\nb: [\n").count("\n") == 1
