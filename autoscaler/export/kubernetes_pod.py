"""Write the pod of the controller: one container without privileges, and all that it may read and write."""

from __future__ import annotations

import hashlib

from autoscaler.export.kubernetes_installation import Installation, Variable
from autoscaler.export.kubernetes_probes import PORT_NAME, is_open, write_probes
from autoscaler.export.kubernetes_yaml import Noted

CONFIGURATION = "autoscaler.yaml"
_PATH = f"/etc/autoscaler/{CONFIGURATION}"
_RUNTIME_VARIABLE = "RUNTIME_DIRECTORY"
_RUNTIME_DIRECTORY = "/run/autoscaler"
_USER = 65532  # nobody's, as the image has it
_SCRATCH = "16Mi"
_END_SECONDS = 10  # it takes one second; a slow node has some more
_CONTAINER = "autoscaler"

_CHECKSUM = "Of the configuration: a new one starts a new controller."
_TOKEN = "The controller asks the cluster with the token of its ServiceAccount."  # noqa: S105 - a sentence about it
_LINKS = "Variables of other Services, such as AUTOSCALER_PORT, would be taken for options of the controller."
_REAPER = "The configuration runs commands: what they leave behind goes to the pod's own first process, which sees it to its end."
_IMAGE = "Where the cluster's nodes can pull it."
_SECRETS = "What the configuration says as ${{NAME}}. The values are in the Secret {}, which no file here holds."
_RESOURCES = """\
Measured with ten process types: 61 MiB, and half a percent of a core. Many more take more: raise the limit where it is met.
There is no limit for the processor, because a controller that is held back decides late."""
_PAUSES = "Where `autoscaler pause` writes. It ends with the pod: a pause that must outlive it belongs into the configuration."
_MOUNT = "By subPath, so that its name stays the same, which pauses are kept by. It is read at the start: a change makes a new pod."


def write_pod(installation: Installation, labels: dict[str, object]) -> dict[str, object]:
    """Write the template of the pod; it fulfils the strictest of the Pod Security Standards, restricted."""
    checksum = hashlib.sha256(installation.configuration.encode()).hexdigest()
    return {
        "metadata": {"labels": labels, "annotations": {"checksum/autoscaler.yaml": Noted(_CHECKSUM, checksum)}},
        "spec": {
            "serviceAccountName": installation.name,
            "automountServiceAccountToken": Noted(_TOKEN, value=True),
            "enableServiceLinks": Noted(_LINKS, value=False),
            **_reaper(installation),
            "terminationGracePeriodSeconds": _END_SECONDS,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(installation)],
            "volumes": [
                {"name": "configuration", "configMap": {"name": installation.name}},
                {"name": "runtime", "emptyDir": {"sizeLimit": _SCRATCH}},
                {"name": "temporary", "emptyDir": {"sizeLimit": _SCRATCH}},
            ],
        },
    }


def _reaper(installation: Installation) -> dict[str, object]:
    return {"shareProcessNamespace": Noted(_REAPER, value=True)} if installation.runs_commands else {}


def _container(installation: Installation) -> dict[str, object]:
    return {
        "name": _CONTAINER,
        "image": Noted(_IMAGE, installation.image),
        "args": ["run", "-c", _PATH],
        **_ports(installation),
        "env": [{"name": _RUNTIME_VARIABLE, "value": _RUNTIME_DIRECTORY}, *_secrets(installation)],
        "resources": Noted(_RESOURCES, {"requests": {"cpu": "20m", "memory": "80Mi"}, "limits": {"memory": "256Mi"}}),
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        **write_probes(installation.listen),
        "volumeMounts": [
            Noted(_MOUNT, {"name": "configuration", "mountPath": _PATH, "subPath": CONFIGURATION, "readOnly": True}),
            Noted(_PAUSES, {"name": "runtime", "mountPath": _RUNTIME_DIRECTORY}),
            {"name": "temporary", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        ],
    }


def _ports(installation: Installation) -> dict[str, object]:
    listen = installation.listen
    return {"ports": [{"name": PORT_NAME, "containerPort": listen.address.port}]} if listen and is_open(listen) else {}


def _secrets(installation: Installation) -> list[object]:
    secret = [each for each in installation.variables if each.name != _RUNTIME_VARIABLE]
    made = [{"name": each.name, "valueFrom": {"secretKeyRef": _key(installation, each)}} for each in secret]
    return [Noted(_SECRETS.format(installation.name), made[0]), *made[1:]] if made else []


def _key(installation: Installation, variable: Variable) -> dict[str, object]:
    return {"name": installation.name, "key": variable.name, "optional": variable.has_default}
