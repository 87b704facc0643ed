"""Find the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autoscaler.config.errors import ConfigurationError, Mistake

VARIABLE = "AUTOSCALER_CONFIG"
NAME = "autoscaler.yaml"
SYSTEM_WIDE = Path("/etc/autoscaler/autoscaler.yaml")


def find(explicit: str | None, environment: Mapping[str, str], folder: Path) -> Path:
    """Return the file to load: ``explicit``, else $AUTOSCALER_CONFIG, else the first that exists of the usual places.

    A file that is named is returned whether it exists or not: loading it says so. A relative name is taken from ``folder``.
    Raises ``ConfigurationError`` naming all that was looked for.
    """
    named = explicit or environment.get(VARIABLE)
    if named:
        return folder / named
    places = (folder / NAME, SYSTEM_WIDE, folder / "Procfile")
    for place in places:
        if place.is_file():
            return place
    looked_for = ", ".join(str(place) for place in places)
    message = f"no configuration: -c and ${VARIABLE} are not given, and there is no {looked_for}; write one with: autoscaler init"
    raise ConfigurationError(NAME, [Mistake(0, 0, "", message)])
