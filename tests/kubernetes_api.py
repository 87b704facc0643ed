"""Serve a made-up Kubernetes API that holds every request and every answer to the published OpenAPI schemas.

The shapes are those of Kubernetes 1.37 as kubernetes-validate ships them (strict: no field that is not published); the rules beyond
them (conflicts, dry runs, rights, wording of refusals) follow the sources of the API server and its controllers.
"""

from __future__ import annotations

import base64
import copy
import functools
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import referencing

from autoscaler.act.kubernetes import Kubernetes
from autoscaler.clock import SystemClock
from autoscaler.model import ProcessType
from tests.api_stub import ApiStub, Asked, Reply, closing

ADMIN = frozenset({"*"})
SCALER = frozenset({"get deployments", "get deployments/scale", "patch deployments/scale"})
FULL = SCALER | {
    "get statefulsets", "get statefulsets/scale", "patch statefulsets/scale", "get replicasets", "patch replicasets/scale",
    "get crawlers/scale", "patch crawlers/scale", "list pods", "patch pods", "list horizontalpodautoscalers", "list scaledobjects",
}  # fmt: skip
TOKEN = "eyJhbGciOi-made-up"  # noqa: S105 - of the made-up API
COST = "controller.kubernetes.io/pod-deletion-cost"
_OUTDATED = "the object has been modified; please apply your changes to the latest version and try again"
_NAMESPACED = r"(?:/namespaces/(?P<namespace>[a-z0-9-]+))?"
_PATH = re.compile(
    rf"/(?:api/v1|apis/(?P<group>[a-z0-9.]+)/(?P<version>v[a-z0-9]+)){_NAMESPACED}/(?P<plural>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?"
)
_NAMESPACES = re.compile(r"/api/v1/(?P<plural>namespaces)(?:/(?P<name>[a-z0-9-]+))?")
_PLAIN = frozenset({"pretty", "resourceVersion", "resourceVersionMatch"})
_QUERIES = {
    "get": _PLAIN,
    "list": _PLAIN | {"labelSelector", "fieldSelector", "limit", "continue", "timeoutSeconds"},
    "patch": frozenset({"pretty", "dryRun", "fieldManager", "fieldValidation", "force"}),
    "create": frozenset({"pretty", "dryRun", "fieldManager", "fieldValidation"}),
    "delete": frozenset({"pretty", "dryRun", "gracePeriodSeconds", "propagationPolicy"}),
}
_wall = SystemClock().wall
_HASH = "6d4cf56db6"  # of the one template that every made-up Deployment has


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the API: its kind, its schema, its subresources."""

    group: str
    version: str
    plural: str
    kind: str
    schema: str | None = None
    subs: frozenset[str] = frozenset()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


_SCALE = frozenset({"scale"})
RESOURCES = {
    (each.group, each.version, each.plural): each
    for each in (
        Resource("", "v1", "namespaces", "Namespace", "io.k8s.api.core.v1.Namespace"),
        Resource("", "v1", "nodes", "Node", "io.k8s.api.core.v1.Node"),
        Resource("", "v1", "pods", "Pod", "io.k8s.api.core.v1.Pod"),
        Resource("", "v1", "serviceaccounts", "ServiceAccount", "io.k8s.api.core.v1.ServiceAccount", frozenset({"token"})),
        Resource("apps", "v1", "deployments", "Deployment", "io.k8s.api.apps.v1.Deployment", _SCALE),
        Resource("apps", "v1", "statefulsets", "StatefulSet", "io.k8s.api.apps.v1.StatefulSet", _SCALE),
        Resource("apps", "v1", "replicasets", "ReplicaSet", "io.k8s.api.apps.v1.ReplicaSet", _SCALE),
        Resource("example.com", "v1", "crawlers", "Crawler", None, _SCALE),
        Resource("example.com", "v1", "widgets", "Widget"),
        Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"),
        Resource("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject"),
        Resource("rbac.authorization.k8s.io", "v1", "roles", "Role", "io.k8s.api.rbac.v1.Role"),
        Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", "io.k8s.api.rbac.v1.RoleBinding"),
        Resource(
            "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "io.k8s.api.authorization.v1.SelfSubjectAccessReview"
        ),
    )
}
_SCALED = {"Deployment", "StatefulSet", "ReplicaSet", "Crawler"}


@dataclass(slots=True)
class User:
    """Who a token stands for, and what that user may do: "VERB RESOURCE", or "VERB RESOURCE NAME" of one object alone."""

    name: str
    rights: frozenset[str]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the API understands."""

    asked: Asked
    user: User
    verb: str
    resource: Resource
    namespace: str
    name: str
    sub: str

    @property
    def what(self) -> str:
        return f"{self.resource.plural}/{self.sub}" if self.sub else self.resource.plural

    @property
    def is_trial(self) -> bool:
        return self.asked.query.get("dryRun") == "All"


class Refused(Exception):  # noqa: N818 - as the API says it
    """What the API answers in place of what was asked."""

    def __init__(self, code: int, reason: str, message: str, **details) -> None:
        super().__init__(message)
        self.reply = failure(code, reason, message, **details)


def failure(code: int, reason: str, message: str, *, headers: Mapping[str, str] | None = None, **details) -> Reply:
    """Return a Status as the API server writes one."""
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason}
    return Reply(code, body | ({"details": details} if details else {}) | {"code": code}, headers or {})


BUSY = failure(429, "TooManyRequests", "too many requests, please try again later", headers={"Retry-After": "1"}, retryAfterSeconds=1)


class KubernetesApi(ApiStub):
    """A cluster in memory: its objects, the controllers that move them on, and who may do what."""

    def __init__(
        self, certificate: tuple[Path, Path] | None = None, authorities: Path | None = None, *, start: float = 0.0, drain: float = 0.0
    ) -> None:
        """Serve; ``start`` and ``drain`` are the seconds that a pod takes to be ready and to go."""
        self.start, self.drain = start, drain
        self.users = {TOKEN: User("system:serviceaccount:shop:autoscaler", FULL)}
        self.objects: dict[tuple[str, str, str], dict] = {}
        self.latency = 0.0
        self.checks_answers = True
        self.is_frozen = False  # its controllers do nothing
        self.has_keda = True
        self.tells_draining = False  # status.terminatingReplicas, as releases since 1.33 may
        self.ailments: dict[str, dict] = {}  # by workload: what its pods' status holds in place of being ready
        self.quota: dict[str, int] = {}  # by workload: pods that may be created
        self.page_limit = 500
        self.expires_pages = 0  # pages that are refused as too old
        self._version = 1000
        self._born: dict[str, float] = {}
        self._dying: dict[str, float] = {}
        super().__init__(certificate)
        if authorities:
            context = self._server.socket.context
            context.load_verify_locations(authorities)
            context.verify_mode = 2  # a client must show a certificate
            self.users[""] = User("kubernetes-admin", FULL)
        self.put(RESOURCES["", "v1", "namespaces"], "", "shop", {})

    # What a test arranges

    def put(self, resource: Resource, namespace: str, name: str, fields: dict) -> dict:
        """Create an object as it stands."""
        self._version += 1
        metadata = {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            "uid": f"00000000-0000-4000-8000-{self._version:012}",
            "resourceVersion": str(self._version),
            "creationTimestamp": _written(_wall()),
        }
        made = {"apiVersion": resource.api_version, "kind": resource.kind, **fields, "metadata": {**fields.get("metadata", {}), **metadata}}
        self.objects[resource.qualified, namespace, name] = made
        return made

    def deploy(self, name: str, replicas: int = 0, *, kind: str = "deployments", **spec) -> dict:
        """Create a workload in the namespace shop."""
        group = "example.com" if kind == "crawlers" else "apps"
        selector = {"matchLabels": {"app": "shop", "process": name}}
        template = {"metadata": {"labels": {"app": "shop", "process": name}}, "spec": {"containers": [{"name": "main", "image": "shop:1"}]}}
        fields = {"spec": {"replicas": replicas, "selector": selector, "template": template, **spec}, "status": {}}
        if kind == "statefulsets":
            fields["spec"]["serviceName"] = name
            fields["status"]["replicas"] = 0
        if kind == "replicasets":
            fields["status"]["replicas"] = 0
        fields["metadata"] = {"generation": 1}
        return self.put(RESOURCES[group, "v1", kind], "shop", name, fields)

    def workload(self, name: str, kind: str = "deployments.apps") -> dict:
        return self.objects[kind, "shop", name]

    def pods(self, name: str) -> list[dict]:
        with self.lock:
            self._settle()
            return [each for each in self._all("pods", "shop") if each["metadata"]["labels"].get("process") == name]

    def set_count(self, name: str, replicas: int, kind: str = "deployments.apps") -> None:
        """Scale as somebody else does."""
        with self.lock:
            found = self.workload(name, kind)
            found["spec"]["replicas"] = replicas
            found["metadata"]["generation"] += 1
            self._touch(found)

    def touch(self, name: str) -> None:
        """Change a workload without changing its count."""
        with self.lock:
            self._touch(self.workload(name))

    def set_condition(self, name: str, **condition) -> None:
        """Have a workload's status say something."""
        with self.lock:
            status = self.workload(name)["status"]
            kept = [each for each in status.get("conditions", []) if each["type"] != condition["type"]]
            status["conditions"] = [*kept, condition]

    def answer_of_scale(self, name: str, replicas: int) -> Reply:
        """Return what the API says when a webhook has made another count of the one that was asked for."""
        scale = scale_of(self.workload(name))
        return Reply(200, scale | {"spec": {"replicas": replicas}})

    # The API

    def answer(self, asked: Asked) -> Reply:
        if self.latency:
            time.sleep(self.latency)
        with self.lock:
            self._settle()
            try:
                reply = self._do(self._understood(asked))
            except Refused as refused:
                reply = refused.reply
        if self.checks_answers and isinstance(reply.body, dict):
            self._hold(reply.body, f"the answer to {asked.line}")
        return reply

    def _understood(self, asked: Asked) -> Request:
        found = _NAMESPACES.fullmatch(asked.path) or _PATH.fullmatch(asked.path)
        parts = {"group": "", "version": "v1", "namespace": "", "name": "", "sub": ""} | {
            k: v for k, v in (found.groupdict() if found else {}).items() if v
        }
        user = self._user(asked)
        resource = RESOURCES.get((parts["group"], parts["version"], parts.get("plural", "")))
        if resource is None or (resource.plural == "scaledobjects" and not self.has_keda) or (parts["sub"] and parts["sub"] not in resource.subs):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        verbs = {"GET": "get" if parts["name"] else "list", "PATCH": "patch", "POST": "create", "DELETE": "delete"}
        request = Request(asked, user, verbs[asked.method], resource, parts["namespace"], parts["name"], parts["sub"])
        self._judge(request)
        self._authorize(request)
        return request

    def _user(self, asked: Asked) -> User:
        kind, _, token = asked.headers.get("authorization", "Bearer ").partition(" ")
        user = self.users.get(token) if kind == "Bearer" else None
        if user is None:
            raise Refused(401, "Unauthorized", "Unauthorized")
        return user

    def _judge(self, request: Request) -> None:
        """Note what a careful client does not do, even where a real API lets it pass."""
        asked = request.asked
        for key in asked.query.keys() - _QUERIES[request.verb]:
            self.broken.append(f"{asked.line}: no such key in the query: {key}")
        manager = asked.query.get("fieldManager", "")
        if request.verb in {"patch", "create"} and not (0 < len(manager) <= 128 and manager.isprintable()):
            self.broken.append(f"{asked.line}: fieldManager {manager!r}")
        if request.verb == "patch" and asked.query.get("fieldValidation") != "Strict":
            self.broken.append(f"{asked.line}: fieldValidation is not Strict")
        if asked.query.get("dryRun", "All") != "All":
            raise Refused(422, "Invalid", 'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value')
        if "application/json" not in asked.headers.get("accept", "application/json"):
            raise Refused(406, "NotAcceptable", "only the following media types are accepted: application/json")
        if request.verb in {"get", "list"} and asked.body:
            self.broken.append(f"{asked.line}: has a body")

    def _authorize(self, request: Request) -> None:
        if request.resource.plural == "selfsubjectaccessreviews" or self._may(request.user, request.verb, request.what, request.name):
            return
        resource, name = request.resource, request.name
        shown = f'{resource.qualified} "{name}"' if name else resource.qualified
        where = f'in the namespace "{request.namespace or name}"' if request.namespace or resource.plural == "namespaces" else "at the cluster scope"
        who = f'User "{request.user.name}" cannot {request.verb} resource "{request.what}" in API group "{resource.group}"'
        message = f"{shown} is forbidden: {who} {where}"
        raise Refused(
            403,
            "Forbidden",
            message,
            **({"name": name} if name else {}),
            **({"group": resource.group} if resource.group else {}),
            kind=resource.plural,
        )

    def _may(self, user: User, verb: str, what: str, name: str = "") -> bool:
        rights = user.rights | self._bound(user)
        return "*" in rights or f"{verb} {what}" in rights or f"{verb} {what} {name}" in rights

    def _bound(self, user: User) -> frozenset[str]:
        """Return the rights that roles give to a user."""
        rights: set[str] = set()
        for (kind, namespace, _), binding in self.objects.items():
            if kind != "rolebindings.rbac.authorization.k8s.io":
                continue
            subjects = {f"system:serviceaccount:{each['namespace']}:{each['name']}" for each in binding["subjects"]}
            role = self.objects.get(("roles.rbac.authorization.k8s.io", namespace, binding["roleRef"]["name"]))
            if user.name in subjects and role:
                rights |= {
                    f"{verb} {what}{f' {name}' if name else ''}"
                    for rule in role["rules"]
                    for verb in rule["verbs"]
                    for what in rule["resources"]
                    for name in rule.get("resourceNames", [""])
                }
        return frozenset(rights)

    def _do(self, request: Request) -> Reply:
        if request.verb == "create":
            return self._create(request)
        if request.verb == "list":
            return self._list(request)
        found = self.objects.get((request.resource.qualified, request.namespace, request.name))
        if found is None:
            resource = request.resource
            group = {"group": resource.group} if resource.group else {}
            raise Refused(404, "NotFound", f'{resource.qualified} "{request.name}" not found', name=request.name, **group, kind=resource.plural)
        if request.verb == "delete":
            return self._delete(request)
        if request.verb == "patch":
            return self._patch(request, found)
        return Reply(200, scale_of(found) if request.sub == "scale" else copy.deepcopy(found))

    def _list(self, request: Request) -> Reply:
        matches = _selector(request.asked.query.get("labelSelector", ""))
        found = [each for each in self._all(request.resource.qualified, request.namespace) if matches(each["metadata"].get("labels", {}))]
        begin = 0
        if "continue" in request.asked.query:
            begin = json.loads(base64.urlsafe_b64decode(request.asked.query["continue"]))["start"]
            if self.expires_pages:
                self.expires_pages -= 1
                raise Refused(410, "Expired", "The provided continue parameter is too old to display a consistent list result.")
        end = begin + min(int(request.asked.query.get("limit", self.page_limit)), self.page_limit)
        metadata = {"resourceVersion": str(self._version)}
        if end < len(found):
            token = base64.urlsafe_b64encode(json.dumps({"v": "meta.k8s.io/v1", "rv": self._version, "start": end}).encode()).decode()
            metadata |= {"continue": token, "remainingItemCount": len(found) - end}
        items = [{key: value for key, value in each.items() if key not in {"kind", "apiVersion"}} for each in found[begin:end]]
        return Reply(
            200,
            {"kind": f"{request.resource.kind}List", "apiVersion": request.resource.api_version, "metadata": metadata, "items": copy.deepcopy(items)},
        )

    def _create(self, request: Request) -> Reply:
        body = request.asked.json()
        if request.sub == "token":
            token = f"{request.name}-{self._version}-{len(self.users)}"
            self.users[token] = User(f"system:serviceaccount:{request.namespace}:{request.name}", frozenset())
            ends = _written(_wall() + body["spec"].get("expirationSeconds", 3600))
            return Reply(
                201,
                {
                    **body,
                    "metadata": {"name": request.name},
                    "spec": {"audiences": ["api"], **body["spec"]},
                    "status": {"token": token, "expirationTimestamp": ends},
                },
            )
        self._hold(body, f"the body of {request.asked.line}")
        if request.resource.plural == "selfsubjectaccessreviews":
            wanted = body["spec"]["resourceAttributes"]
            what = f"{wanted['resource']}/{wanted['subresource']}" if wanted.get("subresource") else wanted["resource"]
            return Reply(201, {**body, "metadata": {}, "status": {"allowed": self._may(request.user, wanted["verb"], what, wanted.get("name", ""))}})
        if request.namespace and ("namespaces", "", request.namespace) not in self.objects:
            raise Refused(404, "NotFound", f'namespaces "{request.namespace}" not found', name=request.namespace, kind="namespaces")
        name = body["metadata"]["name"]
        if (request.resource.qualified, request.namespace, name) in self.objects:
            raise Refused(409, "AlreadyExists", f'{request.resource.qualified} "{name}" already exists', name=name, kind=request.resource.plural)
        if request.resource.kind in _SCALED:
            body["metadata"]["generation"] = 1
            body["spec"].setdefault("replicas", 1)
            body.setdefault("status", {})
        return Reply(201, copy.deepcopy(self.put(request.resource, request.namespace, name, body)))

    def _delete(self, request: Request) -> Reply:
        for key in [
            each
            for each in self.objects
            if each == (request.resource.qualified, request.namespace, request.name)
            or (request.resource.plural == "namespaces" and each[1] == request.name)
        ]:
            del self.objects[key]
        return Reply(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})

    def _patch(self, request: Request, found: dict) -> Reply:
        kind = request.asked.headers.get("content-type", "")
        if kind != "application/merge-patch+json":
            self.broken.append(f"{request.asked.line}: {kind}")
            raise Refused(415, "UnsupportedMediaType", f"the body of the request was in an unknown format - accepted media types include: {kind}")
        patch = request.asked.json()
        old = scale_of(found) if request.sub == "scale" else found
        new = _merged(old, patch)
        self._hold(new, f"what {request.asked.line} makes")
        if new["metadata"].get("resourceVersion") != found["metadata"]["resourceVersion"]:
            resource = request.resource
            raise Refused(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {resource.qualified} "{request.name}": {_OUTDATED}',
                name=request.name,
                group=resource.group,
                kind=resource.plural,
            )
        if new["spec"].get("replicas", 0) < 0:
            message = f'Scale.autoscaling "{request.name}" is invalid: spec.replicas: Invalid value: must be greater than or equal to 0'
            raise Refused(422, "Invalid", message, name=request.name, kind="Scale")
        after = _merged(found, {"spec": {"replicas": new["spec"].get("replicas", 0)}}) if request.sub == "scale" else new
        if not request.is_trial and after != found:
            if after["spec"] != found["spec"]:
                after["metadata"]["generation"] = after["metadata"].get("generation", 1) + 1
            after["metadata"]["managedFields"] = [_managed(request, after)]
            self.objects[request.resource.qualified, request.namespace, request.name] = after
            self._touch(after)
        return Reply(200, scale_of(after) if request.sub == "scale" else copy.deepcopy(after))

    # The controllers

    def _settle(self) -> None:
        if self.is_frozen:
            return
        for key in [key for key, each in self.objects.items() if each["kind"] in _SCALED]:
            self._reconcile(self.objects[key])

    def _reconcile(self, workload: dict) -> None:
        """Create and delete pods until there are as many as there should be, and say so in the status."""
        namespace, name, kind = workload["metadata"]["namespace"], workload["metadata"]["name"], workload["kind"]
        pods = [each for each in self._all("pods", namespace) if each["metadata"]["ownerReferences"][0]["uid"] == _owner_of(workload)["uid"]]
        for pod in pods:
            self._move_on(pod, name)
        there = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in {"Failed", "Succeeded"}]
        wanted = workload["spec"].get("replicas", 1)
        for _ in range(min(wanted, self.quota.get(name, wanted)) - len(there)):
            there.append(self._make_pod(workload, len(there)))
        for pod in sorted(there, key=_goes_first if kind != "StatefulSet" else _goes_first_of_set)[: max(0, len(there) - wanted)]:
            pod["metadata"] |= {"deletionTimestamp": _written(_wall()), "deletionGracePeriodSeconds": 30}
            self._dying[pod["metadata"]["uid"]] = time.monotonic()
            self._touch(pod)
            self._move_on(pod, name)
        left = [each for each in self._all("pods", namespace) if each["metadata"]["ownerReferences"][0]["uid"] == _owner_of(workload)["uid"]]
        self._tell(workload, left)

    def _tell(self, workload: dict, pods: list[dict]) -> None:
        there = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in {"Failed", "Succeeded"}]
        ready, going = sum(is_ready(pod) for pod in there), len([pod for pod in pods if "deletionTimestamp" in pod["metadata"]])
        status: dict = {"observedGeneration": workload["metadata"].get("generation", 1)}
        if workload["kind"] == "Crawler":
            status = {
                "replicas": len(there),
                "selector": ",".join(f"{key}={value}" for key, value in workload["spec"]["selector"]["matchLabels"].items()),
            }
        else:
            figures = {"replicas": len(there), "readyReplicas": ready, "availableReplicas": ready}
            if workload["kind"] == "Deployment":
                figures |= {"updatedReplicas": len(there), "unavailableReplicas": max(0, workload["spec"].get("replicas", 1) - ready)}
            status |= {key: value for key, value in figures.items() if value}
            if workload["kind"] != "Deployment":
                status["replicas"] = len(there) + (going if workload["kind"] == "StatefulSet" else 0)
            elif self.tells_draining:
                status["terminatingReplicas"] = going
            conditions = workload["status"].get("conditions")
            status |= {"conditions": conditions} if conditions else {}
        if status != workload["status"]:
            workload["status"] = status
            self._touch(workload)

    def _make_pod(self, workload: dict, ordinal: int) -> dict:
        name = workload["metadata"]["name"]
        own = f"{name}-{ordinal}" if workload["kind"] == "StatefulSet" else f"{name}-{_HASH}-{_random_letters(self._version)}"
        template = workload["spec"]["template"]
        release = {"pod-template-hash": _HASH} if workload["kind"] == "Deployment" else {}
        metadata = {"labels": {**template["metadata"]["labels"], **release}, "ownerReferences": [_owner_of(workload)]}
        metadata |= {"annotations": dict(template["metadata"]["annotations"])} if "annotations" in template["metadata"] else {}
        status = {"phase": "Pending", "conditions": [_condition("Ready", "False", reason="ContainersNotReady"), _condition("PodScheduled", "True")]}
        spec = {**template["spec"], "nodeName": "node-1"}
        pod = self.put(RESOURCES["", "v1", "pods"], workload["metadata"]["namespace"], own, {"metadata": metadata, "spec": spec, "status": status})
        self._born[pod["metadata"]["uid"]] = time.monotonic()
        self._move_on(pod, name)
        return pod

    def _move_on(self, pod: dict, workload: str) -> None:
        """Have a pod become ready, ill or gone as its time comes."""
        uid = pod["metadata"]["uid"]
        if uid in self._dying:
            if time.monotonic() - self._dying[uid] >= self.drain:
                self.objects.pop(("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]), None)
            return
        if workload in self.ailments:
            self._change(pod, copy.deepcopy(self.ailments[workload]))
            return
        if time.monotonic() - self._born.get(uid, 0.0) >= self.start and not is_ready(pod):
            at = datetime.fromisoformat(pod["metadata"]["creationTimestamp"]).timestamp() + self.start
            container = {
                "name": "main",
                "image": "shop:1",
                "imageID": "sha256:1",
                "ready": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": _written(at)}},
                "lastState": {},
            }
            conditions = [_condition(kind, "True", at=at) for kind in ("PodScheduled", "ContainersReady", "Ready")]
            self._change(pod, {"phase": "Running", "podIP": "10.0.0.7", "conditions": conditions, "containerStatuses": [container]})

    def _change(self, pod: dict, status: dict) -> None:
        if pod["status"] != status:
            pod["status"] = status
            self._touch(pod)

    # The store

    def _all(self, kind: str, namespace: str) -> list[dict]:
        return [each for key, each in self.objects.items() if key[0] == kind and key[1] == namespace]

    def _touch(self, changed: dict) -> None:
        self._version += 1
        changed["metadata"]["resourceVersion"] = str(self._version)

    def _hold(self, document: dict, what: str) -> None:
        """Hold an object against its published schema."""
        for error in list(_validator(document.get("apiVersion", ""), document.get("kind", "")).iter_errors(document))[:3]:
            self.broken.append(f"{what}: {error.json_path}: {error.message[:200]}")


def scale_of(workload: dict) -> dict:
    """Return the scale of a workload, whose count is left out when it is 0 (``json:"replicas,omitempty"``)."""
    metadata = {key: workload["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    replicas = workload["spec"].get("replicas", 1)
    labels = workload["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    status = {"replicas": workload["status"].get("replicas", 0), "selector": selector}
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _managed(request: Request, changed: dict) -> dict:
    """Return what an object says of who changed it last."""
    entry = {"manager": request.asked.query.get("fieldManager", "unknown"), "operation": "Update", "apiVersion": changed["apiVersion"]}
    sub = {"subresource": request.sub} if request.sub else {}
    return {**entry, "time": _written(_wall()), "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}, **sub}


def is_ready(pod: dict) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def ill(reason: str, message: str = "", *, restarts: int = 0, last: dict | None = None) -> dict:
    """Return the status of a pod whose container waits for this reason."""
    state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    container = {
        "name": "main",
        "image": "shop:1",
        "imageID": "",
        "ready": False,
        "restartCount": restarts,
        "state": state,
        "lastState": {"terminated": last} if last else {},
    }
    conditions = [_condition("PodScheduled", "True"), _condition("Ready", "False", reason="ContainersNotReady")]
    return {"phase": "Running" if restarts else "Pending", "podIP": "10.0.0.9", "conditions": conditions, "containerStatuses": [container]}


def unschedulable(message: str) -> dict:
    """Return the status of a pod for which there is no node."""
    return {"phase": "Pending", "conditions": [_condition("PodScheduled", "False", reason="Unschedulable", message=message)]}


def on_silent_node() -> dict:
    """Return the status of a pod as the node controller leaves it when its node does not answer."""
    container = {
        "name": "main",
        "image": "shop:1",
        "imageID": "sha256:1",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {}},
        "lastState": {},
    }
    conditions = [_condition("ContainersReady", "True"), _condition("Ready", "False")]
    return {"phase": "Running", "podIP": "10.0.0.7", "conditions": conditions, "containerStatuses": [container]}


def _condition(kind: str, status: str, *, at: float | None = None, **words: str) -> dict:
    return {"type": kind, "status": status, "lastTransitionTime": _written(at or _wall()), **words}


def _owner_of(workload: dict) -> dict:
    """Return what a pod says of its owner: a Deployment's pods belong to a ReplicaSet of it."""
    metadata, kind = workload["metadata"], workload["kind"]
    owner = {"apiVersion": workload["apiVersion"], "kind": kind, "name": metadata["name"], "uid": metadata["uid"]}
    if kind == "Deployment":
        owner |= {"kind": "ReplicaSet", "name": f"{metadata['name']}-{_HASH}", "uid": f"{metadata['uid'][:-1]}f"}
        owner["uid"] = f"f{metadata['uid'][1:]}"
    return {**owner, "controller": True, "blockOwnerDeletion": True}


def _goes_first(pod: dict) -> tuple:
    """Order pods as a ReplicaSet deletes them (pkg/controller/controller_utils.go): not ready, cheap, new."""
    cost = pod["metadata"].get("annotations", {}).get(COST, "0")
    assert -(2**31) <= int(cost) < 2**31
    assert re.fullmatch(r"-?[1-9][0-9]*|0", cost)
    return is_ready(pod), int(cost), -int(pod["metadata"]["uid"][-12:])


def _goes_first_of_set(pod: dict) -> int:
    return -int(pod["metadata"]["name"].rpartition("-")[2])


def _random_letters(seed: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    mixed = seed * 2654435761 % 2**32
    return "".join(letters[mixed // len(letters) ** place % len(letters)] for place in range(5))


def _merged(document: dict, patch: dict) -> dict:
    """Merge a patch as RFC 7386 says."""
    merged = copy.deepcopy(document)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = _merged(merged.get(key, {}), value)
        else:
            merged[key] = value
    return merged


def _selector(text: str) -> Callable[[Mapping[str, str]], bool]:
    """Read a label selector: ``a=b``, ``a in (b,c)``, ``a notin (b)``, ``a``, ``!a``."""
    tests: list[Callable[[Mapping[str, str]], bool]] = []
    for part in re.findall(r"[^,(]+(?:\([^)]*\))?", text):
        found = re.fullmatch(r"\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*", part)
        if found:
            values, is_in = set(found[3].split(",")), found[2] == "in"
            tests.append(
                functools.partial(lambda labels, key, values, is_in: (labels.get(key) in values) == is_in, key=found[1], values=values, is_in=is_in)
            )
        elif "=" in part:
            key, _, value = part.strip().partition("=")
            tests.append(functools.partial(lambda labels, key, value: labels.get(key) == value, key=key, value=value.removeprefix("=")))
        else:
            key = part.strip()
            tests.append(functools.partial(lambda labels, key: (key.removeprefix("!") in labels) != key.startswith("!"), key=key))
    return lambda labels: all(test(labels) for test in tests)


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def _registry() -> referencing.Registry:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / "v1.37.0-local-strict"
    definitions = json.loads((folder / "_definitions.json").read_text())
    made = referencing.Resource.from_contents(definitions, default_specification=referencing.jsonschema.DRAFT202012)
    return referencing.Registry().with_resource("/api/_definitions.json", made)


@functools.cache
def _validator(api_version: str, kind: str) -> jsonschema.Draft202012Validator:
    """Return what holds an object of this kind to its published schema; a custom resource has none of its own."""
    names = {(each.api_version, each.kind): each.schema for each in RESOURCES.values()}
    names |= {(each.api_version, f"{each.kind}List"): f"{each.schema}List" if each.schema else None for each in RESOURCES.values()}
    names |= {
        ("autoscaling/v1", "Scale"): "io.k8s.api.autoscaling.v1.Scale",
        ("v1", "Status"): "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
        ("authentication.k8s.io/v1", "TokenRequest"): "io.k8s.api.authentication.v1.TokenRequest",
    }
    name = names[api_version, kind]
    schema = {"$ref": f"/api/_definitions.json#/$defs/{name}"} if name else {}
    return jsonschema.Draft202012Validator(schema, registry=_registry())


# Certificates


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of an authority, a server on 127.0.0.1, and a client."""

    ca: Path
    certificate: Path
    key: Path
    client: Path
    client_key: Path

    @property
    def server(self) -> tuple[Path, Path]:
        return self.certificate, self.key


def make_certificates(folder: Path) -> Certificates:
    """Have openssl make an authority and what it signs."""
    ca = folder / "ca.pem"
    _openssl(folder, "ca", "-subj", "/CN=made-up authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    signed = ("-CA", str(ca), "-CAkey", str(folder / "ca.key"))
    _openssl(
        folder,
        "server",
        *signed,
        "-subj",
        "/CN=kube-apiserver",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    )
    _openssl(folder, "client", *signed, "-subj", "/O=system:masters/CN=kubernetes-admin", "-addext", "basicConstraints=critical,CA:FALSE")
    return Certificates(ca, folder / "server.pem", folder / "server.key", folder / "client.pem", folder / "client.key")


def _openssl(folder: Path, name: str, *arguments: str) -> None:
    made = (
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(folder / f"{name}.key"),
        "-out",
        str(folder / f"{name}.pem"),
    )
    subprocess.run(["openssl", "req", "-x509", *made, *arguments], check=True, capture_output=True)


# Fixtures


@pytest.fixture(scope="session")
def cluster_certificates(tmp_path_factory: pytest.TempPathFactory, require_program: Callable[[str], str]) -> Certificates:
    """Certificates for the whole session."""
    require_program("openssl")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def cluster(cluster_certificates: Certificates) -> Iterator[KubernetesApi]:
    """A made-up cluster with a namespace ``shop``; a test fails over any request that breaks the published rules."""
    with closing(KubernetesApi(cluster_certificates.server)) as made:
        yield made


@dataclass
class Reach:
    """How to reach a made-up cluster."""

    cluster: KubernetesApi
    certificates: Certificates
    options: dict[str, object] = field(default_factory=dict)

    def plugin(self, **options) -> Kubernetes:
        """Return the configuration that reaches it by its address and a token."""
        given = {"url": self.cluster.url, "token": TOKEN, "ca": str(self.certificates.ca), "namespace": "shop"}
        return Kubernetes(**{**given, **self.options, **options})


@pytest.fixture
def cluster_reach(cluster: KubernetesApi, cluster_certificates: Certificates) -> Reach:
    """How to reach the made-up cluster."""
    return Reach(cluster, cluster_certificates)


TYPES = (ProcessType(name="web", minimum=0, maximum=20), ProcessType(name="job", minimum=0, maximum=20))


@pytest.fixture
def connect_kubernetes(cluster_reach: Reach) -> Callable[[], object]:
    """Return how to connect the backend for a web and a job type, each a Deployment without processes."""
    for each in TYPES:
        cluster_reach.cluster.deploy(each.name)
    return lambda: cluster_reach.plugin().connect(TYPES, None)
