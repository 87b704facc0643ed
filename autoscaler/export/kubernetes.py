"""Write manifests that run the controller in a Kubernetes cluster, one file an object."""

from __future__ import annotations

from autoscaler.export.kubernetes_installation import Installation
from autoscaler.export.kubernetes_pod import CONFIGURATION, write_pod
from autoscaler.export.kubernetes_probes import PORT_NAME, is_open
from autoscaler.export.kubernetes_rights import write_rules
from autoscaler.export.kubernetes_yaml import Noted, write_yaml

_RIGHTS = "rbac.authorization.k8s.io"
_SERVICE_ACCOUNT = "Who the controller is to the cluster. Its token is mounted into the controller's own pod alone."
_ROLE = "What the controller may do in the namespace {}, and nothing beyond it."
_ROLE_BINDING = "Gives the controller its rights in the namespace {}."
_CONFIG_MAP = "The configuration of the controller. Secrets are not in it: ${NAME} comes from a Secret, as deployment.yaml says."
_DEPLOYMENT = "The controller. When it ends, the formation stays as it is; the next one goes on from there."
_SERVICE = "Where /metrics and /status are asked from within the cluster."
_RECREATE = "The old one ends before the new one starts: two controllers would set the same counts against each other."
_SCRAPED = """\
For Prometheus: /metrics, with the value of listen_token as its bearer token where the configuration has one.
Also while a metric is missing and the controller is not ready: that is when its own metrics are looked at."""


def write_kubernetes(installation: Installation) -> dict[str, str]:
    """Write the text of every file by its name, in the order in which they are applied."""
    manifests = {
        "serviceaccount.yaml": (_SERVICE_ACCOUNT, _service_account(installation)),
        **_rights(installation),
        "configmap.yaml": (_CONFIG_MAP, _config_map(installation)),
        "deployment.yaml": (_DEPLOYMENT, _deployment(installation)),
    }
    if is_open(installation.listen):
        manifests["service.yaml"] = (_SERVICE, _service(installation))
    return {name: write_yaml(manifest, head) for name, (head, manifest) in manifests.items()}


def _service_account(installation: Installation) -> dict[str, object]:
    return {**_head("v1", "ServiceAccount", installation), "automountServiceAccountToken": False}


def _rights(installation: Installation) -> dict[str, tuple[str, dict[str, object]]]:
    namespaces = sorted({each.namespace for each in installation.workloads})
    files: dict[str, tuple[str, dict[str, object]]] = {}
    for namespace in namespaces:
        ending = ".yaml" if len(namespaces) == 1 else f"-{namespace}.yaml"
        files[f"role{ending}"] = (_ROLE.format(namespace), _role(installation, namespace))
        files[f"rolebinding{ending}"] = (_ROLE_BINDING.format(namespace), _role_binding(installation, namespace))
    return files


def _role(installation: Installation, namespace: str) -> dict[str, object]:
    rules = write_rules([each for each in installation.workloads if each.namespace == namespace], installation.told)
    return {**_head(f"{_RIGHTS}/v1", "Role", installation, namespace), "rules": rules}


def _role_binding(installation: Installation, namespace: str) -> dict[str, object]:
    return {
        **_head(f"{_RIGHTS}/v1", "RoleBinding", installation, namespace),
        "subjects": [{"kind": "ServiceAccount", "name": installation.name, "namespace": installation.namespace}],
        "roleRef": {"apiGroup": _RIGHTS, "kind": "Role", "name": installation.name},
    }


def _config_map(installation: Installation) -> dict[str, object]:
    return {**_head("v1", "ConfigMap", installation), "data": {CONFIGURATION: installation.configuration}}


def _deployment(installation: Installation) -> dict[str, object]:
    labels = _labels(installation)
    return {
        **_head("apps/v1", "Deployment", installation),
        "spec": {
            "replicas": 1,
            "strategy": Noted(_RECREATE, {"type": "Recreate"}),
            "selector": {"matchLabels": labels},
            "template": write_pod(installation, labels),
        },
    }


def _service(installation: Installation) -> dict[str, object]:
    port = installation.listen.address.port if installation.listen else 0
    return {
        **_head("v1", "Service", installation),
        "spec": {
            "selector": _labels(installation),
            "publishNotReadyAddresses": Noted(_SCRAPED, value=True),
            "ports": [{"name": PORT_NAME, "port": port, "targetPort": PORT_NAME}],
        },
    }


def _head(version: str, kind: str, installation: Installation, namespace: str = "") -> dict[str, object]:
    metadata = {"name": installation.name, "namespace": namespace or installation.namespace, "labels": _labels(installation)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _labels(installation: Installation) -> dict[str, object]:
    return {"app.kubernetes.io/name": "formation-autoscaler", "app.kubernetes.io/instance": installation.name}
