"""What is installed in a cluster: a controller with its names, its configuration and what that needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autoscaler.act.kubernetes.workload import Workload
from autoscaler.settings import Listen

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]*")
_LONGEST_NAME = 63
_MOST_BYTES = 1_000_000  # of a ConfigMap, which holds 1 MiB with everything around
_FIX = f"use at most {_LONGEST_NAME} of a-z, 0-9 and -, and"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A name that the configuration says as ``${NAME}``; without a default it has to be set."""

    name: str
    has_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A controller in a cluster: its names, the text of its configuration, and what follows from it."""

    name: str
    namespace: str
    image: str
    configuration: str
    listen: Listen | None
    workloads: tuple[Workload, ...]
    variables: tuple[Variable, ...]
    runs_commands: bool = False  # which may leave processes behind
    told: frozenset[Workload] = frozenset()  # those of which a metric tells the load of each process, so that the idlest can go first


def find_mistakes(installation: Installation) -> Iterator[str]:
    """Yield a sentence for everything that a cluster would refuse; each names the fix."""
    if not _NAME.fullmatch(installation.name) or len(installation.name) > _LONGEST_NAME:
        yield f"{installation.name!r} is no name in a cluster; {_FIX} begin with a letter: --name NAME"
    if not _NAMESPACE.fullmatch(installation.namespace) or len(installation.namespace) > _LONGEST_NAME:
        yield f"{installation.namespace!r} is no namespace; {_FIX} begin and end with a letter or digit: --namespace NAME"
    if not _IMAGE.fullmatch(installation.image):
        yield f"{installation.image!r} is no image; write one such as registry.example/formation-autoscaler:1.2: --image NAME"
    size = len(installation.configuration.encode())
    if size > _MOST_BYTES:
        yield f"the configuration has {size} bytes, and a ConfigMap holds {_MOST_BYTES}; shorten it"
