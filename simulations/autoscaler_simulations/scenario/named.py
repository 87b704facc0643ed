"""Find scenarios by name: those that come with the package, or files."""

from __future__ import annotations

from pathlib import Path

from autoscaler.config.document import parse
from autoscaler.config.errors import ConfigurationError, Mistake
from autoscaler.config.loading import read_file
from autoscaler.config.wording import names, nearest

_SUFFIXES = (".yaml", ".yml")
_HERE = Path(__file__).resolve().parent.parent


def scenarios_folder() -> Path:
    """Return the folder of the scenarios that come with the package: within it when installed, beside it in a checkout."""
    installed = _HERE / "scenarios"
    return installed if installed.is_dir() else _HERE.parent / "scenarios"


def scenario_names() -> tuple[str, ...]:
    """List the scenarios that come with the package."""
    return tuple(sorted(path.stem for path in scenarios_folder().glob("*.yaml")))


def abouts() -> dict[str, str]:
    """Return what each scenario that comes with the package says of itself, by name."""
    return {name: _about(find_scenario(name)) for name in scenario_names()}


def _about(path: Path) -> str:
    written = parse(read_file(path), str(path)).written
    about = written.get("about") if isinstance(written, dict) else None
    return about if isinstance(about, str) else ""


def find_scenario(name: str) -> Path:
    """Return the file of a scenario that is given by path or by name; raise ``ConfigurationError`` naming those there are."""
    if name.endswith(_SUFFIXES) or "/" in name:
        return Path(name)
    known = scenario_names()
    if name in known:
        return scenarios_folder() / f"{name}.yaml"
    said = f"there is no scenario of this name; {nearest(name, known)} there are {names(known)}; or name a file that ends in .yaml"
    raise ConfigurationError(name, [Mistake(0, 0, "", " ".join(said.split()))])
