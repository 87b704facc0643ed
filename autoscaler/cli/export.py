"""Write files for what already runs the formation."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from autoscaler.act.local import Local
from autoscaler.act.procfile import read_procfile
from autoscaler.act.systemd import Systemd
from autoscaler.cli.configuration import load_configuration
from autoscaler.cli.export_files import STANDARD_OUTPUT, write_files
from autoscaler.cli.export_kubernetes import kubernetes
from autoscaler.cli.failures import WrongConfigurationError
from autoscaler.config.lookup import NAME, VARIABLE
from autoscaler.config.lookup import SYSTEM_WIDE as _SYSTEM_WIDE
from autoscaler.export.app import CONTROLLER, METRICS_PORT, PORT, App, find_mistakes
from autoscaler.export.formation import unit_pattern, write_backend
from autoscaler.export.installation import choose_controller, say_installation
from autoscaler.export.systemd import target_name, write_systemd
from autoscaler.export.types import from_commands, with_commands, without_secrets
from autoscaler.model import ProcessType
from autoscaler.observe.file import FileSource
from autoscaler.observe.sql import SqlSource
from autoscaler.settings import Settings

_PROCFILE = Path("Procfile")
_UNITS_OF_SYSTEMD = ("/usr/lib/systemd", "/lib/systemd")


@click.group
def export() -> None:
    """Write files for what already runs the formation."""


@click.command
@click.argument("folder", default="systemd")
@click.option("-c", "--config", metavar="FILE", help="The configuration. [default: the usual one, if there is one]")
@click.option("--procfile", metavar="FILE", help="Commands of the types without their own. [default: the configuration's, or Procfile beside it]")
@click.option("--app", default="app", show_default=True, metavar="NAME", help="What the units begin with.")
@click.option("--directory", metavar="DIR", help="Where the app lies on the host. [default: the folder of the Procfile]")
@click.option("--run-as", metavar="USER", help="Whom the processes run as. [default: you, unless you are root]")
@click.option("--user", "is_for_user", is_flag=True, help="For your own systemd manager, without root.")
@click.option("-f", "--force", is_flag=True, help="Replace files that are there and differ.")
def systemd(folder: str, *, force: bool, **choices: str | bool | None) -> None:
    """Write systemd units for the app and for the autoscaler into FOLDER; - prints them.

    Types and commands come from the configuration, the Procfile or both.
    """
    plan = _plan(Choices(**choices))  # type: ignore[arg-type]  # click made them of the options above
    files = write_systemd(plan.app, choose_controller(_program(), is_for_user=plan.app.is_for_user), has_configuration=plan.configuration is not None)
    if folder == STANDARD_OUTPUT:
        click.echo("\n".join(f"# {name}\n{text}" for name, text in files.items()), nl=False)
        return
    write_files(Path(folder), files, force=force)
    click.echo("".join(f"wrote {Path(folder, name)}\n" for name in files), nl=False)
    for note in plan.notes:
        click.echo(f"note: {note}")
    click.echo(f"look them over, then type{'' if plan.app.is_for_user or os.geteuid() == 0 else ' as root'}:")
    for line in say_installation(plan.app, files, folder, str(plan.configuration) if plan.configuration else None):
        click.echo(f"  {line}")


export.add_command(systemd)
export.add_command(kubernetes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the command line says."""

    config: str | None
    procfile: str | None
    app: str
    directory: str | None
    run_as: str | None
    is_for_user: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is exported, and what is to be said of it."""

    app: App
    configuration: Path | None  # None: one is written
    notes: tuple[str, ...]


def _plan(choices: Choices) -> _Plan:
    configuration = _find_configuration(choices.config)
    settings = load_configuration(configuration) if configuration else None
    procfile = _choose_procfile(choices.procfile, settings)
    types, warnings = _find_types(settings, procfile)
    types, secrets = without_secrets(types, settings.hide if settings else str)
    backend = _backend(settings)
    if isinstance(backend, Systemd) and backend.user:
        choices = replace(choices, is_for_user=True)
    app = App(
        name=choices.app,
        # Not resolved: where a deploy moves a link such as `current`, the units follow it.
        directory=os.path.abspath(choices.directory or (procfile or configuration or _PROCFILE).parent),  # noqa: PTH100
        types=types,
        user=_choose_user(choices),
        port=backend.port if backend else PORT,
        metrics_port=(backend.metrics_port if backend else None) or METRICS_PORT,
    )
    mistakes = [*find_mistakes(app), *_find_name_mistakes(app)]
    if mistakes:
        raise WrongConfigurationError("\n".join(mistakes))
    return _Plan(app=app, configuration=configuration, notes=(*warnings, *secrets, *_notes(app, settings), *_find_hidden_program(app)))


def _find_configuration(named: str | None) -> Path | None:
    """Return the named file, or the usual one; a Procfile is no configuration here."""
    given = named or os.environ.get(VARIABLE)
    return Path(given) if given else next((place for place in (Path(NAME), _SYSTEM_WIDE) if place.is_file()), None)


def _backend(settings: Settings | None) -> Systemd | Local | None:
    backends = settings.backends.values() if settings else ()
    return next((each for each in backends if isinstance(each, Systemd | Local)), None)


def _choose_procfile(named: str | None, settings: Settings | None) -> Path | None:
    """Return the named file, else the one of the configuration, else the one beside it; None when there is none."""
    if named:
        return Path(named)
    backend = _backend(settings)
    beside = settings.path.with_name(_PROCFILE.name) if settings and settings.path else _PROCFILE
    usual = Path(backend.procfile) if isinstance(backend, Local) else beside
    return usual if usual.exists() else None


def _find_types(settings: Settings | None, procfile: Path | None) -> tuple[tuple[ProcessType, ...], tuple[str, ...]]:
    """Return the types, each with a command, and the warnings of the Procfile."""
    found = read_procfile(procfile) if procfile else None
    if settings is None and found is None:
        raise WrongConfigurationError("there is no Procfile and no configuration here; name one of them: --procfile FILE, -c FILE")
    commands = found.commands if found else {}
    types = from_commands(commands) if settings is None else with_commands(_exported(settings), commands)
    mistakes = [_describe_missing(each.name, procfile) for each in types if not each.command]
    if mistakes or not types:
        raise WrongConfigurationError("\n".join(mistakes) or f"{procfile}: holds no process type but a release phase; add one")
    return types, found.warnings if found else ()


def _exported(settings: Settings) -> list[ProcessType]:
    """Leave out the types that another kind of backend runs, where there is one for units."""
    chosen = [each.process_type for each in settings.types if isinstance(settings.backends[each.backend], Systemd | Local)]
    return chosen or [each.process_type for each in settings.types]


def _describe_missing(name: str, procfile: Path | None) -> str:
    where = f"no line of that name in {procfile}" if procfile else "there is no Procfile"
    return f"{name} has no command and {where}; add `command:` to the type or a line '{name}: ...' to the Procfile (--procfile FILE)"


def _choose_user(choices: Choices) -> str | None:
    if choices.is_for_user:
        if choices.run_as:
            raise click.UsageError("--user and --run-as exclude each other: units of your own manager run as you")
        return None
    if choices.run_as:
        return choices.run_as
    if os.geteuid() == 0:
        raise click.UsageError("you are root, and the app should not be; name the user that it runs as: --run-as USER")
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise click.UsageError("your user has no name here; name the one that the app runs as: --run-as USER") from error


def _find_name_mistakes(app: App) -> list[str]:
    """Say that a name is taken: a unit in /etc would stand in the place of systemd's own."""
    kind = "user" if app.is_for_user else "system"
    taken = [folder for folder in _UNITS_OF_SYSTEMD if Path(folder, kind, target_name(app)).exists()]
    return [f"{target_name(app)} is a unit of this system itself; choose another name: --app NAME"] if taken else []


def _notes(app: App, settings: Settings | None) -> list[str]:
    """Say where a configuration and the units do not fit, and what the units do not hold."""
    backend = _backend(settings)
    notes = [f"{each.name} is ready for systemd as soon as it runs; only ready: notify is waited for" for each in app.types if each.ready == "port"]
    if settings is not None and not isinstance(backend, Systemd):
        foreign = " and remove socket, listen and ready: port" if any(each.socket != "none" or each.ready == "port" for each in app.types) else ""
        notes.append(f"{settings.path} does not use systemd; before you install it write {write_backend(app)}{foreign}")
    elif isinstance(backend, Systemd) and backend.unit not in {unit_pattern(app), unit_pattern(app).removesuffix(".service")}:
        notes.append(f"backend.systemd.unit is {backend.unit}, and these units are {unit_pattern(app)}; change one of them (--app NAME)")
    return [*notes, *_find_moving_files(settings)]


def _find_moving_files(settings: Settings | None) -> Iterator[str]:
    """Say which files are named from the folder of the configuration, which changes when it is installed."""
    path = settings.path if settings else None
    if settings is None or path is None or path == _SYSTEM_WIDE:
        return
    text = path.read_text(encoding="utf-8")
    for metric in settings.metrics:
        file = Path(metric.source.path).absolute() if isinstance(metric.source, FileSource | SqlSource) else None
        if file and str(file) not in text:
            yield f"metric {metric.name} reads {file.name} beside {path}, which moves to {_SYSTEM_WIDE.parent}; write the whole path, {file}"


def _program() -> tuple[str, ...]:
    """Return the absolute command of this very program; the folder of the interpreter is that of its environment."""
    command = Path(sys.executable).with_name("autoscaler")
    return (str(command),) if command.exists() else (sys.executable, "-m", "autoscaler")


def _find_hidden_program(app: App) -> list[str]:
    """Say that the controller's user could not run the program that is running now."""
    files = (Path(_program()[0]), Path(sys.executable).resolve())
    hidden = [folder for file in files for folder in file.parents if not folder.stat().st_mode & stat.S_IXOTH]
    said = f"only its owner gets into {hidden[0]}, so the user {CONTROLLER} could not run" if hidden and not app.is_for_user else ""
    return [f"{said} {files[0]}; install the autoscaler where all may read, such as /opt/{CONTROLLER}"] if said else []
