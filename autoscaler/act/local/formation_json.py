"""Write a formation as JSON and read it back, for controllers that ask each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from autoscaler.act.backend import BackendError
from autoscaler.model import Address, Counts, Process, TypeFormation


def write_formation(types: Mapping[str, TypeFormation]) -> bytes:
    """Return all process types as one JSON object."""
    return json.dumps({name: asdict(formation) for name, formation in types.items()}).encode()


def read_formation(text: bytes) -> dict[str, TypeFormation]:
    """Read what ``write_formation`` wrote; raise ``BackendError`` when it was not written by this version."""
    try:
        return {name: _read_type(fields) for name, fields in json.loads(text).items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackendError("the running autoscaler answers in a way this version does not understand; use the same version for both") from error


def _read_type(fields: dict[str, Any]) -> TypeFormation:  # Any: JSON, checked by the constructors' keywords
    return TypeFormation(
        **{
            **fields,
            "counts": Counts(**fields["counts"]),
            "processes": tuple(_read_process(process) for process in fields["processes"]),
            "notes": tuple(fields["notes"]),
        }
    )


def _read_process(fields: dict[str, Any]) -> Process:  # Any: as above
    metrics = fields["metrics"]
    return Process(**{**fields, "metrics": Address(**metrics) if metrics else None})
