"""Load the configuration: from a file, from text, or from a Procfile alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn

from autoscaler.act.procfile import ProcfileError, parse_procfile
from autoscaler.config.build import build
from autoscaler.config.document import Document, parse
from autoscaler.config.errors import ConfigurationError, Mistake
from autoscaler.config.plugins import Registry, installed
from autoscaler.config.substitution import hide, substitute
from autoscaler.model import Json
from autoscaler.settings import Settings

_PROCFILE = "Procfile"


def load(path: Path, environment: Mapping[str, str], registry: Registry | None = None) -> Settings:
    """Load a configuration file; one called ``Procfile`` or ``Procfile.something`` is a formation of fixed size.

    ``${NAME}`` comes from ``environment``. Raises ``ConfigurationError`` with every mistake.
    """
    if path.name == _PROCFILE or path.name.startswith(f"{_PROCFILE}."):
        return from_procfile(path, registry)
    document = substitute(parse(read_file(path), str(path)), environment)
    settings = build(document, registry or installed(), path, path.parent.absolute())
    return replace(settings, hide=partial(hide, data=document.data))


def load_text(text: str, name: str, environment: Mapping[str, str], registry: Registry | None = None) -> Settings:
    """Load a configuration from text that is called ``name`` in errors; relative paths are taken from the folder of that name."""
    document = substitute(parse(text, name), environment)
    return build(document, registry or installed(), None, Path(name.replace("\0", "")).parent.absolute())


def from_procfile(path: Path, registry: Registry | None = None) -> Settings:
    """Run each process type of a Procfile once, by the local backend and without policies."""
    try:
        procfile = parse_procfile(read_file(path))
    except ProcfileError as error:
        _refuse(path, str(error))
    formation: dict[str, Json] = {name: {"minimum": 1, "maximum": 1} for name in procfile.commands}
    written: dict[str, Json] = {"backend": {"local": {"procfile": path.name}}, "formation": formation}
    settings = build(Document(name=str(path), written=written, data=written), registry or installed(), path, path.parent.absolute())
    return replace(settings, warnings=(*settings.warnings, *(f"{path}: {warning}" for warning in procfile.warnings)))


def read_file(path: Path) -> str:
    """Return the text of a configuration file; raise ``ConfigurationError`` naming why it cannot be read."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        _refuse(path, "there is no such file; write one with: autoscaler init")
    except IsADirectoryError:
        _refuse(path, f"this is a folder; name the file in it, such as {path / 'autoscaler.yaml'}")
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror or error}")
    except ValueError as error:
        _refuse(path, f"is no path: {error}")
    return _decode(path, content)


def _decode(path: Path, content: bytes) -> str:
    if b"\0" in content:
        _refuse(path, "this is a binary file; name a text file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        message = f"the byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise ConfigurationError(str(path), [Mistake(line, column, "", message)]) from error


def _refuse(path: Path, message: str) -> NoReturn:
    raise ConfigurationError(str(path), [Mistake(0, 0, "", message)])
