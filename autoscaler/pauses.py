"""Keep the operator's pauses of one formation in a file that outlives the controller."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from autoscaler.decide.settings import Pause
from autoscaler.model import AutoscalerError

_Signature = tuple[int, int, int]  # modification time, size and inode: a rename changes the last


class PausesError(AutoscalerError):
    """The pauses cannot be read or written; the text names the file and the fix."""


@dataclass(frozen=True, slots=True)
class OperatorPause:
    """A pause by ``autoscaler pause``; ``until`` is its end in wall seconds, ``None`` for open-ended."""

    scale_out: bool
    scale_in: bool
    reason: str = ""
    until: float | None = None

    @property
    def pause(self) -> Pause:
        """Return what the pipeline needs of it."""
        return Pause(self.scale_out, self.scale_in, self.reason)

    def is_over(self, wall: float) -> bool:
        """Whether its end has passed."""
        return self.until is not None and self.until <= wall


class Pauses:
    """The pauses of one formation, read by its controller on each tick and written by ``pause`` and ``resume``.

    A file that cannot be understood raises ``PausesError`` on the first read that meets it; until it changes, later reads
    return the last good pauses, so that a controller says it once and holds still what was held still.
    """

    def __init__(self, directory: Path, formation_name: str) -> None:
        """Take the runtime directory, which need not exist yet, and ``Settings.formation_name``."""
        digest = hashlib.sha256(formation_name.encode()).hexdigest()[:16]
        self._directory = directory
        self._formation_name = formation_name
        self._path = directory / f"{digest}.pauses.json"
        self._presence = directory / f"{digest}.controller"
        self._signature: _Signature | None = None
        self._entries: Mapping[str, OperatorPause] = {}

    @property
    def path(self) -> Path:
        """Name the file."""
        return self._path

    def read(self, wall: float) -> Mapping[str, Pause]:
        """Return the pauses in force at ``wall`` seconds by process type; the file is only read again after a change."""
        return {name: entry.pause for name, entry in self.entries(wall).items()}

    def entries(self, wall: float) -> Mapping[str, OperatorPause]:
        """Return the pauses in force with their ends; as ``read`` otherwise."""
        signature = self._look()
        if signature != self._signature:
            self._signature = signature
            self._entries = self._load() if signature else {}
        return {name: entry for name, entry in self._entries.items() if not entry.is_over(wall)}

    def pause(self, process_type: str, entry: OperatorPause, wall: float) -> None:
        """Write one pause, replacing an earlier one of the type; expired ones are dropped."""
        with self._locked():
            self._write({**self._current(wall), process_type: entry})

    def resume(self, process_type: str, wall: float) -> bool:
        """Remove the pause of a type; return whether there was one in force."""
        if not self._path.exists():
            return False
        with self._locked():
            entries = dict(self._current(wall))
            was_paused = entries.pop(process_type, None) is not None
            self._write(entries)
        return was_paused

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let ``pause`` see, for as long as this is open, that a controller reads the file; several may at once."""
        self._make_directory()
        try:
            descriptor = os.open(self._presence, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._refusal(self._presence, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield
        finally:
            os.close(descriptor)

    def is_watched(self) -> bool:
        """Whether a running controller reads this file."""
        try:
            descriptor = os.open(self._presence, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _look(self) -> _Signature | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return (0, 0, -(error.errno or 0))  # reading it will say the rest
        return (found.st_mtime_ns, found.st_size, found.st_ino)

    def _load(self) -> Mapping[str, OperatorPause]:
        try:
            document = json.loads(self._path.read_bytes())
            return {str(name): _entry(value) for name, value in document["pauses"].items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._refusal(self._path, error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PausesError(f"{self._path}: these pauses cannot be read; remove the file and pause again: rm {self._path}") from error

    def _current(self, wall: float) -> Mapping[str, OperatorPause]:
        return {name: entry for name, entry in self._load().items() if not entry.is_over(wall)}

    def _write(self, entries: Mapping[str, OperatorPause]) -> None:
        document = {"formation": self._formation_name, "pauses": {name: asdict(entry) for name, entry in entries.items()}}
        try:
            _replace(self._path, json.dumps(document, indent=1) + "\n")
        except OSError as error:
            raise self._refusal(self._path, error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one writer at a time change the file: the lock is on the directory, because the file is replaced."""
        self._make_directory()
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _make_directory(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self._refusal(self._directory, error) from error

    def _refusal(self, path: Path, error: OSError) -> PausesError:
        return PausesError(f"{path}: {error.strerror}; make it usable, or set RUNTIME_DIRECTORY to a folder of this user")


def _entry(value: Mapping[str, object]) -> OperatorPause:
    scale_out, scale_in, reason, until = (value[key] for key in ("scale_out", "scale_in", "reason", "until"))
    if not (isinstance(scale_out, bool) and isinstance(scale_in, bool) and isinstance(reason, str)):
        raise TypeError(f"not a pause: {value}")
    if until is not None and not isinstance(until, int | float):
        raise TypeError(f"not a time: {until}")
    return OperatorPause(scale_out, scale_in, reason, until)


def _replace(path: Path, text: str) -> None:
    """Put a whole file in the place of another, so that a reader or a power cut never meets half of one."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".pauses-")
    try:
        with os.fdopen(descriptor, "w") as file:
            # A pause is no secret, and root may write it for a controller of another user.
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)  # already gone when all went well


def find_pauses(environment: Mapping[str, str], formation_name: str) -> Pauses:
    """Return the pauses that a running controller of the formation reads, else those in the first runtime directory.

    The environment of an operator's shell differs from that of a service, so every runtime directory is looked at.
    """
    candidates = [Pauses(directory, formation_name) for directory in _runtime_directories(environment)]
    return next((pauses for pauses in candidates if pauses.is_watched()), candidates[0])


def runtime_directory(environment: Mapping[str, str]) -> Path:
    """Return where run-time files of this user belong.

    ``$RUNTIME_DIRECTORY``, else ``$XDG_RUNTIME_DIR/autoscaler``, else ``/run/autoscaler`` for root and whoever owns it, else
    ``/tmp/autoscaler-UID``. Raises ``PausesError`` when the folder in ``/tmp`` belongs to somebody else.
    """
    return _runtime_directories(environment)[0]


def _runtime_directories(environment: Mapping[str, str]) -> tuple[Path, ...]:
    given = environment.get("RUNTIME_DIRECTORY", "").split(":")[0]
    own = Path(environment.get("XDG_RUNTIME_DIR", ""))
    found = [Path(given)] if given else []
    if own.is_absolute() and _is_ours(own):
        found.append(own / "autoscaler")
    system = Path("/run/autoscaler")
    return (*found, system if os.geteuid() == 0 or _is_ours(system) else _temporary_directory())


def _temporary_directory() -> Path:
    path = Path(f"/tmp/autoscaler-{os.geteuid()}")  # noqa: S108 - made 0700, and refused below when somebody else made it
    if path.is_symlink() or (path.exists() and not (_is_ours(path) and stat.S_IMODE(path.stat().st_mode) & 0o077 == 0)):
        raise PausesError(f"{path}: is not a folder of this user alone; remove it, or set RUNTIME_DIRECTORY to another one")
    return path


def _is_ours(path: Path) -> bool:
    try:
        return path.is_dir() and path.stat().st_uid == os.geteuid()
    except OSError:
        return False
