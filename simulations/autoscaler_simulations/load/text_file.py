"""Read the text of a file that holds a load."""

from __future__ import annotations

from pathlib import Path

from autoscaler_simulations.load.errors import TraceError

_SHOWN = 40  # characters


def read_text(path: str | Path) -> str:
    """Return the text with one kind of line end; raise ``TraceError`` for a file that cannot be read or is not UTF-8."""
    content = _read(Path(path))
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TraceError(f"{path}:{line}: byte {content[error.start]:#04x} is not UTF-8; save the file as UTF-8") from error


def quoted(text: str) -> str:
    """Quote a text of the file on one line, cut where it gets long."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise TraceError(f"{path}: there is no such file; correct the path") from error
    except IsADirectoryError as error:
        raise TraceError(f"{path}: this is a folder; name a file in it") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise TraceError(f"{str(path)!r} cannot be read: {getattr(error, 'strerror', None) or error}; correct the path or the rights") from error
