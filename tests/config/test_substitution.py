"""References to the environment: filled in before validation, and never shown."""

import pytest

from autoscaler.config.document import parse
from autoscaler.config.substitution import Substituted, hide, substitute

_ENVIRONMENT = {"NAME": "worker", "EMPTY": "", "PORT": "8000"}


def _data(text: str) -> dict[str, object]:
    return substitute(parse(text, "a.yaml"), _ENVIRONMENT).data


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("${NAME}", "worker"),
        ("http://${NAME}:${PORT}/", "http://worker:8000/"),
        ("${NAME:-other}", "worker"),
        ("${UNSET:-other}", "other"),
        ("${EMPTY:-other}", "other"),
        ("${UNSET:-}", ""),
        ("a${EMPTY}b", "ab"),
        ("echo $${NAME}", "echo ${NAME}"),
        ("$NAME $$ $1", "$NAME $$ $1"),
    ],
)
def test_references_are_filled_in(written, text):
    assert _data(f"a: '{written}'") == {"a": text}


def test_references_in_lists_and_mappings_are_filled_in():
    assert _data("a: ['${NAME}', {b: '${PORT}'}]") == {"a": ["worker", {"b": "8000"}]}


def test_keys_are_left_as_they_are():
    assert _data("'${NAME}': 1") == {"${NAME}": 1}


def test_document_as_written_keeps_the_reference():
    document = substitute(parse("a: ${NAME}", "a.yaml"), _ENVIRONMENT)
    assert document.written == {"a": "${NAME}"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "a:\n  - ${UNSET}",
            "a.yaml:2:5: a[0]: ${UNSET} is not set in the environment; set it, write ${UNSET:-default}, or $${UNSET} to pass it on as it is",
        ),
        ("a: ${1x}", "a.yaml:1:4: a: '${1x}' is neither ${NAME} nor ${NAME:-default}; write $${ for a plain ${"),
        ("a: ${NAME", "a.yaml:1:4: a: '${NAME' is neither ${NAME} nor ${NAME:-default}; write $${ for a plain ${"),
    ],
)
def test_references_without_a_value_are_mistakes(text, sentence):
    (mistake,) = substitute(parse(text, "a.yaml"), _ENVIRONMENT).mistakes
    assert mistake.said_of("a.yaml") == sentence


def test_text_of_the_environment_is_never_shown():
    value = _data("a: 'x-${NAME}'")["a"]
    assert isinstance(value, Substituted)
    assert repr(value) == "'x-${NAME}'"


@pytest.mark.parametrize(
    ("sentence", "hidden"),
    [
        ("x-worker is wrong", "x-${NAME} is wrong"),
        ("there is worker in it", "there is x-${NAME} in it"),
        ("nothing of it", "nothing of it"),
    ],
)
def test_hide_replaces_what_came_from_the_environment(sentence, hidden):
    assert hide(sentence, _data("a: ['x-${NAME}', 5]")) == hidden


def test_hide_leaves_short_texts_inside_others():
    document = substitute(parse("a: ${N}", "a.yaml"), {"N": "5"})
    assert hide("5 is below 15.5", document.data) == "${N} is below 15.5"
