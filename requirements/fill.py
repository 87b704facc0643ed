"""Fill ``.venv`` with the pinned requirements and this project; do nothing when it is filled already.

Run by ``make test-env`` with the Python that the environment is made from. It needs the network only for packages that are missing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PINS = (ROOT / "requirements" / "core.txt", ROOT / "requirements" / "development.txt")
PROJECT = ROOT / "pyproject.toml"
STAMP = VENV / "filled"  # first line: what the environment was made from; second: the project installed in it


def main() -> int:
    """Fill the environment; return an exit status."""
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian keeps it in a package of its own, so it may be missing
    except ImportError:
        return _refuse(f"{sys.executable} has no venv module; install it (on Debian and Ubuntu: apt-get install python3-venv)")
    try:
        with Path(__file__).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _fill()
    except subprocess.CalledProcessError as error:
        return _refuse(f".venv is not filled, this command failed: {' '.join(error.cmd)}")
    except OSError as error:
        return _refuse(f".venv is not filled: {error}")
    return 0


def _refuse(sentence: str) -> int:
    print(f"make test-env: {sentence}", file=sys.stderr)
    return 1


def _fill() -> None:
    made_from = _digest(str(ROOT), f"{sys.version_info.major}.{sys.version_info.minor}", *(pins.read_text() for pins in PINS))
    project = _digest(PROJECT.read_text())
    stamped = STAMP.read_text().splitlines() if STAMP.exists() else []
    if stamped == [made_from, project] and _runs() and not _is_touched():
        return
    print("Filling .venv from requirements/ ...", flush=True)
    if stamped[:1] != [made_from] or not _runs():
        _make()
    _install_project()
    STAMP.write_text(f"{made_from}\n{project}\n")


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _runs() -> bool:
    """Say whether the environment's own Python still works; it does not after its base was removed or replaced."""
    try:
        return subprocess.run([VENV / "bin" / "python", "-I", "-c", "import pip"], check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _is_touched() -> bool:
    return any(path.stat().st_mtime > STAMP.stat().st_mtime for path in (PROJECT, *PINS))


def _make() -> None:
    # The base interpreter, since python3 may be the one inside the environment that --clear empties.
    base = os.path.realpath(sys.executable)
    _run(base, "-m", "venv", "--clear", str(VENV))
    _pip("install", "--no-deps", *(f"--requirement={pins}" for pins in PINS))


def _install_project() -> None:
    _pip("install", "--no-deps", "--no-index", "--no-build-isolation", "--editable", str(ROOT))
    _pip("check")


def _pip(command: str, *arguments: str) -> None:
    _run(str(VENV / "bin" / "python"), "-I", "-m", "pip", command, "--quiet", "--disable-pip-version-check", *arguments)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
