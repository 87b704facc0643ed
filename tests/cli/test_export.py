"""The command export."""

import shlex
from pathlib import Path

import pytest

from autoscaler.cli import export

_LOCAL = "backend: {local: {procfile: app/Procfile, port: 7000}}\nformation: {worker: {maximum: 2}, web: {maximum: 2, command: own}}\n"


@pytest.fixture
def procfile(folder):
    """Leave a Procfile alone in the folder."""
    (folder / "autoscaler.yaml").unlink()
    (folder / "Procfile").write_text("release: migrate\nweb: server\nclock: tick\n")
    return folder / "Procfile"


@pytest.fixture
def export_systemd(call, monkeypatch):
    """Call the command as whoever is not root, or as somebody named."""
    monkeypatch.setattr(export, "_SYSTEM_WIDE", Path("none"))
    return lambda *arguments: call("export", "systemd", *arguments)


def _unit(folder, name):
    return (folder / "systemd" / name).read_text()


def test_a_procfile_is_exported_without_its_release_phase(export_systemd, procfile):
    result = export_systemd("--run-as", "deploy")

    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(path.name for path in Path("systemd").iterdir()) == [
        "50-app-autoscaler.rules",
        "app-clock@.service",
        "app-web@.service",
        "app.target",
        "autoscaler.service",
        "autoscaler.sysusers.conf",
        "autoscaler.yaml",
    ]
    assert f"\nUser=deploy\nWorkingDirectory={procfile.parent}\n" in _unit(procfile.parent, "app-web@.service")


def test_the_written_configuration_passes_the_check(export_systemd, procfile, call):
    export_systemd("--run-as", "deploy")

    result = call("check", "-c", "systemd/autoscaler.yaml")

    assert (result.exit_code, result.stdout) == (0, "systemd/autoscaler.yaml: ok: 2 process types, 0 metrics\n")
    assert "singleton: true" in _unit(procfile.parent, "autoscaler.yaml")


def test_the_configuration_of_another_app_or_manager_says_so(export_systemd, procfile, call):
    export_systemd("--user", "--app", "shop")

    assert call("check", "-c", "systemd/autoscaler.yaml").exit_code == 0
    assert 'backend: {systemd: {unit: "shop-{type}@{n}.service", user: true, metrics_port: 15000}}' in _unit(procfile.parent, "autoscaler.yaml")


def test_a_configuration_says_which_types_there_are_and_its_commands_win(export_systemd, folder):
    (folder / "app").mkdir()
    (folder / "app" / "Procfile").write_text("web: theirs\nother: x\nworker: work\n")
    (folder / "autoscaler.yaml").write_text(_LOCAL)

    result = export_systemd("--user")

    assert "exec own'" in _unit(folder, "app-web@.service")
    assert "export PORT=$$((7000+%i-1)) METRICS_PORT=$$((15000+%i-1)); exec work'" in _unit(folder, "app-worker@.service")
    assert not (folder / "systemd" / "app-other@.service").exists()
    assert not (folder / "systemd" / "autoscaler.yaml").exists()
    said = "note: autoscaler.yaml does not use systemd; before you install it write backend: {systemd: {user: true, metrics_port: 15000}}\n"
    assert said in result.stdout


def test_a_configuration_for_systemd_says_whose_manager_it_is_and_where_ports_begin(export_systemd, folder):
    backend = "{systemd: {user: true, port: 6000, unit: 'shop-{type}@{n}.service'}}"
    (folder / "autoscaler.yaml").write_text(f"backend: {backend}\nformation: {{web: {{maximum: 2, command: x}}}}\n")

    result = export_systemd()

    assert "PORT=$$((6000+%i-1))" in _unit(folder, "app-web@.service")
    assert "note: backend.systemd.unit is shop-{type}@{n}.service, and these units are app-{type}@{n}.service" in result.stdout
    assert "note" not in export_systemd("--app", "shop").stdout


def test_a_file_named_from_the_folder_of_the_configuration_is_told(export_systemd, folder):
    metrics = f"{{a: {{file: {{path: load}}}}, b: {{file: {{path: {folder}/own}}}}, c: {{sql: {{url: 'sqlite:///jobs.db', query: select 1}}}}}}"
    (folder / "autoscaler.yaml").write_text(f"backend: systemd\nmetrics: {metrics}\nformation: {{web: {{maximum: 2, command: x}}}}\n")

    notes = [line for line in export_systemd("--run-as", "deploy").stdout.splitlines() if "beside autoscaler.yaml" in line]

    assert [note.split()[2] for note in notes] == ["a", "c"]
    assert notes[1].endswith(f"write the whole path, {folder}/jobs.db")


def test_a_program_that_others_cannot_run_is_told(export_systemd, procfile, monkeypatch):
    private = procfile.parent / "private"
    private.mkdir(mode=0o700)
    monkeypatch.setattr("sys.executable", str(private / "python"))

    assert f"note: only its owner gets into {private}, so" in export_systemd("--run-as", "deploy").stdout


def test_a_type_without_a_command_is_named(export_systemd):
    result = export_systemd("--user")

    assert result.exit_code == 2
    assert result.stderr.startswith("web has no command and there is no Procfile; add `command:` to the type")
    assert not Path("systemd").exists()


def test_bad_lines_of_a_procfile_are_told(export_systemd, procfile):
    procfile.write_text("web: server\nnonsense\n")

    assert "note: Procfile: line 2: ignored" in export_systemd("--user").stdout
    procfile.write_text("web: a\nweb: b\n")
    assert "duplicate process type 'web'" in export_systemd("--user").stderr


def test_files_that_differ_are_replaced_only_when_forced(export_systemd, procfile):
    export_systemd("--user")
    (procfile.parent / "systemd" / "app.target").write_text("mine\n")
    (procfile.parent / "systemd" / "app-web@.service").unlink()

    refused = export_systemd("--user")

    assert (refused.exit_code, refused.stderr) == (1, "systemd/app.target: there already, and different; replace with --force\n")
    assert not (procfile.parent / "systemd" / "app-web@.service").exists()
    assert export_systemd("--user", "--force").exit_code == 0
    assert export_systemd("--user").exit_code == 0
    assert [path.name for path in (procfile.parent / "systemd").glob(".*")] == []


def test_files_may_be_printed_instead(export_systemd, procfile):
    result = export_systemd("-", "--user")

    assert result.stdout.startswith("# app-web@.service\n# app-web@N.service is process N")
    assert not (procfile.parent / "systemd").exists()


def test_a_folder_that_cannot_be_written_is_named(export_systemd, procfile):
    result = export_systemd(procfile, "--user")

    assert (result.exit_code, result.stderr) == (1, f"{procfile} cannot be written: File exists\n")


def test_secrets_stay_out_of_the_units(export_systemd, folder, monkeypatch):
    monkeypatch.setenv("DSN", "s3cret-value")
    environment = "environment: {DSN: '${DSN}', LEVEL: info}"
    (folder / "autoscaler.yaml").write_text(f"backend: dry_run\nformation: {{web: {{maximum: 2, command: x, {environment}}}}}\n")

    result = export_systemd("--user")

    assert 'Environment="LEVEL=info"' in _unit(folder, "app-web@.service")
    assert [path for path in Path("systemd").iterdir() if "s3cret-value" in path.read_text()] == []
    assert "note: environment of web: DSN comes from ${...}" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "--run-as", "me"], "exclude each other"),
        (["--user", "--app", "a b"], "is no name of an app"),
        (["--user", "--directory", "/a*b"], "use an absolute path"),
        (["--user", "--procfile", "none"], "none: cannot be read"),
    ],
)
def test_wrong_usage_is_explained(export_systemd, procfile, arguments, said):
    del procfile
    result = export_systemd(*arguments)

    assert result.exit_code != 0
    assert said in result.stderr


def test_root_must_say_whom_the_app_runs_as(export_systemd, procfile, monkeypatch):
    del procfile
    monkeypatch.setattr("os.geteuid", lambda: 0)

    assert "name the user that it runs as: --run-as USER" in export_systemd().stderr


def test_a_folder_without_anything_to_export_says_so(export_systemd, procfile):
    procfile.unlink()

    assert "there is no Procfile and no configuration here" in export_systemd("--user").stderr


def test_what_to_type_next_names_every_unit(export_systemd, procfile):
    lines = [line.strip() for line in export_systemd("a folder", "--user").stdout.splitlines() if line.startswith("  ")]

    words = [shlex.split(line) for line in lines]
    assert words[0] == ["install", "-D", "-m", "0644", "-t", "~/.config/systemd/user", *(f"a folder/{name}" for name in _units("clock"))]
    assert lines[-3:] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable --now autoscaler.service",
        "systemctl --user status autoscaler.service",
    ]
    del procfile


def _units(other):
    return ["app-web@.service", f"app-{other}@.service", "app.target", "autoscaler.service"]
