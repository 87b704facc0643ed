"""A Procfile is read strictly, and whatever is ignored is named."""

from __future__ import annotations

import pytest

from autoscaler.act.procfile import ProcfileError, parse_procfile, read_procfile


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("web: run-web", {"web": "run-web"}),
        ("web:run-web\n", {"web": "run-web"}),
        ("web:\trun-web\r\nworker:   run-worker  \r\n", {"web": "run-web", "worker": "run-worker"}),
        ("\ufeffweb: run-web\n", {"web": "run-web"}),
        ("#web: no\n\nworker: run # kept\n", {"worker": "run # kept"}),
        ("1web: a\n-w_b: b\n99: c\nWeb: d\n", {"1web": "a", "-w_b": "b", "99": "c", "Web": "d"}),
        ("http://example.com/x\n", {"http": "//example.com/x"}),
        ("web: run\x0bweb\x0c1\u20282\n", {"web": "run\x0bweb\x0c1\u20282"}),
        ("web: a: 'b' | c && \"$D\"\n", {"web": "a: 'b' | c && \"$D\""}),
        ("web: run " + "x" * 5000 + "\n", {"web": "run " + "x" * 5000}),
    ],
)
def test_entries_are_read_in_order_and_verbatim(text, commands):
    procfile = parse_procfile(text)
    assert list(procfile.commands.items()) == list(commands.items())
    assert procfile.warnings == ()


@pytest.mark.parametrize(
    "line",
    ["+web: run", "web.1: run", "wéb: run", "  web: run", "web : run", "no colon here", "web:", "web:   ", "  --flag"],
)
def test_an_ignored_line_is_named_with_its_number(line):
    procfile = parse_procfile(f"worker: run\n{line}\n")
    assert dict(procfile.commands) == {"worker": "run"}
    assert len(procfile.warnings) == 1
    assert procfile.warnings[0].startswith("line 2: ignored, ")


def test_a_continued_line_is_not_joined():
    procfile = parse_procfile("web: run \\\n  --flag\n")
    assert procfile.commands["web"] == "run \\"
    assert procfile.warnings[0].startswith("line 2:")


def test_a_long_ignored_line_is_shortened():
    warning = parse_procfile("web: run\n" + "y" * 1000).warnings[0]
    assert "yyy...'" in warning
    assert len(warning) < 200


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "web:\n  command: run-web\n"])
def test_a_file_without_entries_is_an_error(text):
    with pytest.raises(ProcfileError, match="no process types"):
        parse_procfile(text)


def test_every_duplicate_names_both_lines():
    with pytest.raises(ProcfileError) as error:
        parse_procfile("web: a\nweb: b\nworker: c\nworker: d\n")
    assert str(error.value) == ("line 2: duplicate process type 'web' (first on line 1); line 4: duplicate process type 'worker' (first on line 3)")


def test_a_nul_byte_is_an_error():
    with pytest.raises(ProcfileError, match="line 1: the command of 'web' holds a NUL byte"):
        parse_procfile("web: a\0b\n")


def test_a_read_file_is_named_in_its_warnings(tmp_path):
    path = tmp_path / "Procfile"
    path.write_bytes(b"web: run \xff\n+bad: x\n")
    procfile = read_procfile(path)
    assert procfile.commands["web"].encode("utf-8", "surrogateescape") == b"run \xff"
    assert procfile.warnings[0].startswith(f"{path}: line 2: ")


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ProcfileError, match="Procfile: cannot be read: No such file"):
        read_procfile(tmp_path / "Procfile")


def test_a_bad_file_is_named_in_its_error(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("")
    with pytest.raises(ProcfileError, match=f"{path}: no process types"):
        read_procfile(path)
