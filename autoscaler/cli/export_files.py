"""Write exported files: all of them or none."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from autoscaler.cli.failures import CommandError

STANDARD_OUTPUT = "-"  # in place of a folder


def write_files(folder: Path, files: Mapping[str, str], *, force: bool) -> None:
    """Write all files or none: those that differ from ours are named, and each is complete before the first is put in place."""
    try:
        differing = [name for name, text in files.items() if _differs(folder / name, text)]
        if differing and not force:
            raise CommandError(f"{', '.join(str(folder / name) for name in differing)}: there already, and different; replace with --force")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as whole:
            for name, text in files.items():
                Path(whole, name).write_text(text, encoding="utf-8")
            for name in files:
                Path(whole, name).replace(folder / name)
    except OSError as error:
        raise CommandError(f"{error.filename or folder} cannot be written: {error.strerror}") from error


def _differs(path: Path, text: str) -> bool:
    return path.is_symlink() or (path.exists() and (not path.is_file() or path.read_bytes() != text.encode()))
