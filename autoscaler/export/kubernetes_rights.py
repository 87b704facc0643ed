"""Write the rights that the controller needs in a namespace, and no more."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import groupby

from autoscaler.act.kubernetes.workload import Workload
from autoscaler.export.kubernetes_yaml import Noted

_SCALE = "Read and set how many there are: of these, and of no others."
_GET = "See how many of them are ready. Without this rule only the counts above are known."
_LIST_PODS = "See which pods start, fail or drain, and why. Names of pods are made up, so this cannot be narrowed to those above."
_PATCH_PODS = """\
And mark the idlest pods before a scale-in (controller.kubernetes.io/pod-deletion-cost). It covers every pod of the namespace.
Remove patch if that is too much: Kubernetes then chooses which pods go, and the controller says so where it matters."""
_WARN = "Warn when another autoscaler sets the same counts. Remove these two and it cannot warn; nothing else changes."


def write_rules(workloads: Iterable[Workload], told: Container[Workload]) -> list[object]:
    """Write the rules of a Role for workloads of one namespace; of those ``told`` it is known which processes are the idlest."""
    ordered = sorted(workloads, key=_kind)
    rules = [rule for _, some in groupby(ordered, key=_kind) for rule in _write_kind(list(some))]
    pods = Noted(_LIST_PODS, {"apiGroups": [""], "resources": ["pods"], "verbs": _pod_verbs(ordered, told)})
    return [*rules, pods, Noted(_WARN, _list("autoscaling", "horizontalpodautoscalers")), _list("keda.sh", "scaledobjects")]


def _kind(workload: Workload) -> tuple[str, str]:
    return workload.group, workload.resource


def _write_kind(workloads: list[Workload]) -> Iterator[Noted]:
    first, names = workloads[0], sorted({each.name for each in workloads})
    scale = {"apiGroups": [first.group], "resources": [f"{first.resource}/scale"], "resourceNames": names, "verbs": ["get", "patch"]}
    yield Noted(_SCALE, scale)
    if first.kind:  # of a custom resource nothing but its scale is understood
        yield Noted(_GET, {"apiGroups": [first.group], "resources": [first.resource], "resourceNames": names, "verbs": ["get"]})


def _pod_verbs(workloads: list[Workload], told: Container[Workload]) -> list[object]:
    # Only a ReplicaSet looks at the mark: a StatefulSet always takes the highest number.
    chooses = any(each.has_replica_sets and each in told for each in workloads)
    return ["list", Noted(_PATCH_PODS, "patch")] if chooses else ["list"]


def _list(group: str, resource: str) -> dict[str, object]:
    return {"apiGroups": [group], "resources": [resource], "verbs": ["list"]}
