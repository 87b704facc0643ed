"""Name what Kubernetes scales, as kubectl writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autoscaler.act.remote.api import quoted

_BUILT_IN = {"deployment": "Deployment", "statefulset": "StatefulSet", "replicaset": "ReplicaSet"}
_SHORT = {"deploy": "deployment", "sts": "statefulset", "rs": "replicaset"} | {f"{kind}s": kind for kind in _BUILT_IN}
_CUSTOM = re.compile(r"(?P<plural>[a-z0-9]+)\.(?P<version>v[0-9]+(?:(?:alpha|beta)[0-9]+)?)\.(?P<group>[a-z0-9-]+(?:\.[a-z0-9-]+)+)")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")  # a subdomain of RFC 1123
_LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Workload:
    """One object with a scale, in one namespace."""

    group: str
    version: str
    plural: str
    kind: str | None  # None: a custom resource, whose own fields nobody knows
    namespace: str
    name: str

    @property
    def resource(self) -> str:
        """Name its resource as a role does, without the group."""
        return self.plural

    @property
    def path(self) -> str:
        """Return where it is in the API."""
        return f"{self.collection}/{quoted(self.name)}"

    @property
    def collection(self) -> str:
        """Return where all of its resource in its namespace are."""
        return f"/apis/{self.group}/{self.version}/namespaces/{quoted(self.namespace)}/{self.plural}"

    @property
    def has_replica_sets(self) -> bool:
        """Tell whether a ReplicaSet chooses which of its processes go first."""
        return self.kind in {"Deployment", "ReplicaSet"}

    def __str__(self) -> str:
        """Write ``deployment/web``, or ``crawlers.example.com/web``."""
        return f"{self.kind.lower() if self.kind else f'{self.plural}.{self.group}'}/{self.name}"


def workload_of(text: str, namespace: str) -> Workload:
    """Read KIND/NAME; raise ``ValueError`` for what names nothing that can be scaled."""
    kind, slash, name = text.partition("/")
    if not slash or not name:
        raise ValueError(f"{text!r} names no workload; write deployment/NAME, statefulset/NAME, replicaset/NAME or PLURAL.VERSION.GROUP/NAME")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ValueError(f"{name!r} cannot be the name of a workload; small letters, digits and - are allowed: give another one under names")
    built_in = _SHORT.get(kind.lower(), kind.lower())
    if built_in in _BUILT_IN:
        return Workload("apps", "v1", f"{built_in}s", _BUILT_IN[built_in], namespace, name)
    found = _CUSTOM.fullmatch(kind)
    if found is None:
        raise ValueError(f"{kind!r} has no scale that is known; write deployment, statefulset, replicaset or PLURAL.VERSION.GROUP")
    if found["group"] == "apps":
        raise ValueError(f"{kind!r} is of Kubernetes itself; write {kind.partition('.')[0].removesuffix('s')}")
    return Workload(found["group"], found["version"], found["plural"], None, namespace, name)
