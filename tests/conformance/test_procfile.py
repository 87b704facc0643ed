"""What foreman's and honcho's Procfiles mean to us."""

import pytest

from autoscaler.act.procfile import Procfile, ProcfileError, parse_procfile

pytestmark = pytest.mark.shared


def _text(case):
    if case["input_repeat"] is None:
        return case["input"]
    before, repeated, times, after = case["input_repeat"]
    return before + repeated * times + after


def _outcome(text) -> Procfile | str:
    try:
        return parse_procfile(text)
    except ProcfileError as error:
        return str(error)


def test_procfile_is_read_as_recommended(case):
    wanted, outcome = case["recommended"], _outcome(_text(case))

    if isinstance(wanted, str):
        assert [f"one type, command of {len(command)} characters" for command in outcome.commands.values()] == [wanted]
    elif "error" in wanted:
        assert outcome.startswith(wanted["error"])
    else:
        assert [list(entry) for entry in outcome.commands.items()] == wanted["types"]
        assert [int(warning.split(":")[0].removeprefix("line ")) for warning in outcome.warnings] == wanted.get("warn_lines", [])
