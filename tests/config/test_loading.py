"""Loading a file, a text, or a Procfile alone."""

import os
from pathlib import Path

import pytest

from autoscaler.config.errors import ConfigurationError
from autoscaler.config.loading import from_procfile, load, load_text
from autoscaler.model import Address

_TEXT = "formation: {web: {maximum: 2, command: run}}\n"


def _refusal(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path, {})
    return str(caught.value).removeprefix(str(path))


def test_file_is_loaded_with_the_plugins_that_are_installed(tmp_path):
    path = tmp_path / "autoscaler.yaml"
    path.write_text(_TEXT)
    settings = load(path, {})
    assert settings.path == path
    assert [settings.name for settings in settings.types] == ["web"]
    assert settings.backends["default"].procfile == str(tmp_path / "Procfile")


def test_relative_paths_are_taken_from_the_files_folder(tmp_path, monkeypatch):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "a.yaml").write_text(_TEXT + "metrics: {jobs: {file: {path: jobs.txt}}}\n")
    monkeypatch.chdir(tmp_path)
    (metric,) = load(Path("etc/a.yaml"), {}).metrics
    assert metric.source.path == str(tmp_path / "etc" / "jobs.txt")


def test_mistakes_begin_with_the_path_as_it_was_given(tmp_path, monkeypatch):
    (tmp_path / "a.yaml").write_text("formation: {web: {}}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        load(Path("a.yaml"), {})
    assert str(caught.value).startswith("a.yaml:1:13: formation.web.maximum: missing")


def test_text_is_loaded_without_a_path():
    settings = load_text(_TEXT.replace("run", "'${COMMAND}'"), "demo.yaml", {"COMMAND": "sleep 5"})
    assert settings.path is None
    assert settings.types[0].process_type.command == "sleep 5"


def test_missing_file_says_how_to_write_one(tmp_path):
    assert _refusal(tmp_path / "a.yaml") == ": there is no such file; write one with: autoscaler init"


def test_folder_asks_for_the_file_in_it(tmp_path):
    assert _refusal(tmp_path) == f": this is a folder; name the file in it, such as {tmp_path}/autoscaler.yaml"


def test_path_that_cannot_be_one_is_refused():
    assert "is no path: embedded null byte" in _refusal(Path("a\0b"))


def test_path_through_a_file_is_refused(tmp_path):
    (tmp_path / "a").write_text("")
    assert _refusal(tmp_path / "a" / "b.yaml") == ": cannot be read: Not a directory"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x7fELF\x00\x01", ": this is a binary file; name a text file"),
        (b"a: 1\nb: \xe9t\xe9\n", ":2:4: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\xff\xfea\n", ":1:1: the byte 0xff is not UTF-8; save the file as UTF-8"),
        (b"", ":1:1: the file is empty; write one with: autoscaler init"),
        (b"\x1b[31m", ":1:1: the character '\\x1b' is not allowed in YAML; is this a text file?"),
    ],
)
def test_file_that_is_no_text_is_refused(tmp_path, content, sentence):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    assert _refusal(path) == sentence


def test_file_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "a.yaml").write_text(_TEXT, encoding="utf-8-sig")
    assert load(tmp_path / "a.yaml", {}).types[0].name == "web"


def test_pipe_is_read_like_a_file():
    read, write = os.pipe()
    os.write(write, _TEXT.encode())
    os.close(write)
    try:
        assert load(Path(f"/dev/fd/{read}"), {}).types[0].name == "web"
    finally:
        os.close(read)


@pytest.mark.parametrize("name", ["Procfile", "Procfile.dev"])
def test_procfile_is_a_formation_of_one_process_each(tmp_path, name):
    path = tmp_path / name
    path.write_text("web: serve\nworker: work\n")
    settings = load(path, {})
    assert [(one.name, one.process_type.minimum, one.process_type.maximum, one.policies) for one in settings.types] == [
        ("web", 1, 1, ()),
        ("worker", 1, 1, ()),
    ]
    assert settings.backends["default"].procfile == str(path)
    assert (settings.path, settings.listen.address) == (path, Address("127.0.0.1", 9797))


def test_procfiles_warnings_are_told(tmp_path):
    path = tmp_path / "Procfile"
    path.write_text("web: serve\nwhat is this\n")
    (warning,) = from_procfile(path).warnings
    assert warning.startswith(f"{path}: line 2: ")


def test_bad_procfile_is_a_configuration_error(tmp_path):
    (tmp_path / "Procfile").write_text("web: a\nweb: b\n")
    assert _refusal(tmp_path / "Procfile") == ": line 2: duplicate process type 'web' (first on line 1)"


def test_type_without_a_command_is_named_before_anything_starts(tmp_path):
    (tmp_path / "Procfile").write_text("web: serve\n")
    (tmp_path / "a.yaml").write_text("formation:\n  web: {maximum: 1}\n  worker: {maximum: 1}\n")
    assert _refusal(tmp_path / "a.yaml").startswith(":3:3: formation.worker: ")


def test_thousand_process_types_load_completely(tmp_path):
    lines = (f"  w{number}: {{command: run, maximum: 3, policies: [{{target: {{metric: jobs, per_process: 10}}}}]}}\n" for number in range(1000))
    (tmp_path / "a.yaml").write_text("metrics: {jobs: {file: {path: jobs.txt}}}\nformation:\n" + "".join(lines))
    assert len(load(tmp_path / "a.yaml", {}).types) == 1000


def test_what_came_from_the_environment_can_be_hidden_later(tmp_path):
    path = tmp_path / "autoscaler.yaml"
    path.write_text(_TEXT + 'metrics: {m: {file: {path: "/none/${SECRET}"}}}\n')
    assert load(path, {"SECRET": "topsecret"}).hide("no file /none/topsecret") == "no file /none/${SECRET}"


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("PORT", "PORT is set by the autoscaler for each process; remove it here"),
        ('"A=B"', "'A=B' is no name of a variable; write a name such as LOG_LEVEL"),
        ('""', "'' is no name of a variable; write a name such as LOG_LEVEL"),
    ],
)
def test_a_variable_that_cannot_be_given_is_refused(tmp_path, variable, sentence):
    path = tmp_path / "autoscaler.yaml"
    path.write_text(f"formation: {{web: {{maximum: 2, command: run, environment: {{{variable}: x}}}}}}\n")
    assert sentence in _refusal(path)
