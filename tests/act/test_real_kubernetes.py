"""Run the kubernetes backend against a real cluster, and in the same way against the made-up one.

The cluster is where KUBERNETES_TEST_URL and KUBERNETES_TEST_TOKEN say, with KUBERNETES_TEST_CA for a private authority. The token must be
allowed to create namespaces, and all that lies in one. Every test makes a namespace of its own and deletes it. The processes are pause
containers: by an image that every node has already, where the token may list nodes, or by KUBERNETES_TEST_IMAGE.
"""

import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event

import pytest

from autoscaler.act.backend import Backend
from autoscaler.act.kubernetes import Kubernetes
from autoscaler.act.kubernetes.client import MANAGER
from autoscaler.act.kubernetes.engine import KubernetesEngine
from autoscaler.act.remote.api import Api, Call, Server
from autoscaler.act.remote.engine import Order, Sighting, Verdict
from autoscaler.http_client import Answer
from autoscaler.model import Change, Counts, Json, ProcessType, TypeFormation
from tests.api_stub import closing
from tests.kubernetes_api import ADMIN, RESOURCES, Certificates, KubernetesApi, User, cluster_certificates  # noqa: F401 - fixtures

pytestmark = pytest.mark.timeout(600)
_TYPES = (ProcessType(name="web", minimum=0, maximum=10, interval_seconds=12.0),)  # so that a call far away is waited for
_ADMIN_TOKEN = "made-up-administrator"  # noqa: S105 - of the made-up cluster
_IMAGE = "registry.k8s.io/pause:3.9"
_PAUSE = re.compile(r"(?:.*/)?(?:mirrored-)?pause:[^@]+")  # as kubelets name the image that every pod begins with
_SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_NOBODY = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
_MERGE = {"Content-Type": "application/merge-patch+json"}


@dataclass
class Cluster:
    """A cluster by its address, and a namespace of this test in it."""

    url: str
    token: str
    ca: str | None
    namespace: str
    eventually: Callable[..., object]
    pause: float  # between two looks, so that a real cluster is not flooded

    def __post_init__(self) -> None:
        self._api = Api(Server(url=self.url, ca=self.ca, timeout_seconds=30.0), lambda: {"Authorization": f"Bearer {self.token}"})

    def plugin(self, token: str | None = None) -> Kubernetes:
        return Kubernetes(url=self.url, token=token or self.token, ca=self.ca, namespace=self.namespace)

    def wait(self, condition: Callable[[], object], seconds: float = 180.0) -> object:
        return self.eventually(condition, seconds, self.pause)

    def ask(self, method: str, path: str, body: Json = None) -> Answer:
        query = {} if method in {"GET", "DELETE"} else {"fieldManager": "formation-autoscaler-test"}
        query |= {"fieldValidation": "Strict"} if method == "PATCH" else {}
        return self._api.ask(Call(method=method, path=path, query=query, body=body, headers=_MERGE if method == "PATCH" else {}))

    def create(self, path: str, kind: str, name: str, fields: dict[str, Json]) -> None:
        group, _, rest = path.removeprefix("/apis/").partition("/") if path.startswith("/apis/") else ("", "", "")
        version = f"{group}/{rest.split('/')[0]}" if group else "v1"
        self.ask("POST", path, {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}).checked()

    def image(self) -> str:
        """Return an image that is on every node, so that none is pulled; else one that any cluster on the Internet can pull."""
        answer = self.ask("GET", "/api/v1/nodes")
        nodes = answer.json()["items"] if answer.status == 200 else []
        there = [{name for image in each["status"].get("images") or () for name in image.get("names") or ()} for each in nodes]
        known = sorted(filter(_PAUSE.fullmatch, set.intersection(*there))) if there else []
        return os.environ.get("KUBERNETES_TEST_IMAGE") or (known or [_IMAGE])[-1]

    @property
    def deployments(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments"

    def deploy(self, name: str, replicas: int) -> None:
        labels: Json = {"app": "formation-autoscaler-test", "process": name}
        container: Json = {
            "name": "main",
            "image": self.image(),
            "securityContext": _SAFE,
            "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}},
        }
        spec: Json = {"containers": [container], "securityContext": _NOBODY, "terminationGracePeriodSeconds": 1}
        template: Json = {"metadata": {"labels": labels}, "spec": spec}
        self.create(self.deployments, "Deployment", name, {"spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}})

    def patch(self, path: str, body: Json) -> Answer:
        """Change something as somebody else does."""
        return self.ask("PATCH", path, body)

    def give(self, account: str, rules: list[Json]) -> str:
        """Return a token of a new account that may do no more than the rules say."""
        core, rbac = f"/api/v1/namespaces/{self.namespace}", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}"
        self.create(f"{core}/serviceaccounts", "ServiceAccount", account, {})
        self.create(f"{rbac}/roles", "Role", account, {"rules": rules})
        subject: Json = {"kind": "ServiceAccount", "name": account, "namespace": self.namespace}
        role: Json = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": account}
        self.create(f"{rbac}/rolebindings", "RoleBinding", account, {"roleRef": role, "subjects": [subject]})
        request: Json = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
        return self.ask("POST", f"{core}/serviceaccounts/{account}/token", request).checked().json()["status"]["token"]

    def create_namespace(self) -> None:
        """Create it as soon as that is allowed: a server that has started a moment ago does not know its own roles yet."""
        body: Json = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        self.eventually(lambda: self.ask("POST", "/api/v1/namespaces", body).status in {201, 409}, 60.0, 0.5)

    def close(self) -> None:
        """Delete the namespace, and with it all that is in it."""
        try:
            answer = self.ask("DELETE", f"/api/v1/namespaces/{self.namespace}")
        finally:
            self._api.close()
        assert answer.status in {200, 202}, answer.text()


@pytest.fixture(params=["made_up", pytest.param("real", marks=pytest.mark.external)])
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Point the environment to a cluster: the made-up one, or what it points to already; return the seconds between two looks."""
    if request.param == "real":
        if not os.environ.get("KUBERNETES_TEST_URL") or not os.environ.get("KUBERNETES_TEST_TOKEN"):
            pytest.skip("no real cluster; enable with: KUBERNETES_TEST_URL and KUBERNETES_TEST_TOKEN, and KUBERNETES_TEST_CA for a private authority")
        yield 0.25
        return
    certificates: Certificates = request.getfixturevalue("cluster_certificates")
    with closing(KubernetesApi(certificates.server, start=0.3, drain=0.1)) as stub:
        stub.users[_ADMIN_TOKEN] = User("admin", ADMIN)
        images: Json = [{"names": ["registry.k8s.io/pause@sha256:1", "registry.k8s.io/pause:3.10"]}, {"names": ["registry.k8s.io/coredns:1"]}]
        stub.put(RESOURCES["", "v1", "nodes"], "", "node-1", {"status": {"images": images}})
        monkeypatch.setenv("KUBERNETES_TEST_URL", stub.url)
        monkeypatch.setenv("KUBERNETES_TEST_TOKEN", _ADMIN_TOKEN)
        monkeypatch.setenv("KUBERNETES_TEST_CA", str(certificates.ca))
        yield 0.01


@pytest.fixture
def cluster(where: float, eventually: Callable[..., object]) -> Iterator[Cluster]:
    environment = os.environ
    namespace = f"autoscaler-test-{uuid.uuid4().hex[:8]}"
    authority = environment.get("KUBERNETES_TEST_CA") or None
    made = Cluster(environment["KUBERNETES_TEST_URL"], environment["KUBERNETES_TEST_TOKEN"], authority, namespace, eventually, where)
    try:
        made.create_namespace()
        yield made
    finally:
        made.close()


@pytest.fixture
def backend(cluster: Cluster) -> Iterator[Backend]:
    made = cluster.plugin().connect(_TYPES, None)
    yield made
    made.close(Event())


@pytest.fixture
def engine(cluster: Cluster) -> Iterator[KubernetesEngine]:
    made = cluster.plugin()._engine(_TYPES)
    yield made
    made.close()


def look(backend: Backend) -> TypeFormation | None:
    return backend.observe().types.get("web")


def has(backend: Backend, **counts: int) -> bool:
    return bool((seen := look(backend)) and seen.counts == Counts(**counts))


def scale(backend: Backend, target: int) -> str | None:
    return backend.scale((Change("web", 0, target, "a test"),))[0].error


def seen_by(engine: KubernetesEngine) -> Sighting:
    found = engine.look()["web"]
    assert isinstance(found, Sighting), found
    return found


def reach(cluster: Cluster, backend: Backend, target: int) -> TypeFormation:
    """Set a count, and return what is seen right after; more than one try may be needed while Kubernetes itself changes the workload."""
    return cluster.wait(lambda: seen if scale(backend, target) is None and (seen := look(backend)) and seen.counts.desired == target else None)


def set_by(cluster: Cluster, engine: KubernetesEngine, target: int, before: Callable[[], object] = lambda: None, **loads: float) -> Verdict:
    """Set a count after something else was done in between; while Kubernetes itself changes the workload, look and do it again."""

    def attempt() -> Verdict | None:
        seen = seen_by(engine)
        before()
        verdict = engine.scale(order(seen, target, **loads))["web"]
        return verdict if verdict.kind != "waits" else None

    return cluster.wait(attempt)


def order(seen: Sighting, target: int, **loads: float) -> tuple[Order, ...]:
    return (Order(Change("web", seen.counts.desired, target, "a test", loads), seen),)


def test_formation_goes_from_one_to_six_to_none_and_back(cluster, backend):
    cluster.deploy("web", 1)
    cluster.wait(lambda: has(backend, desired=1, running=1))
    on_the_way = [reach(cluster, backend, 6).counts]
    cluster.wait(lambda: (seen := look(backend)) and (on_the_way.append(seen.counts) or seen.counts.running == 6))
    assert any(each.starting for each in on_the_way)
    assert {each.desired for each in on_the_way} == {6}
    reach(cluster, backend, 0)
    cluster.wait(lambda: has(backend, desired=0))
    reach(cluster, backend, 1)
    cluster.wait(lambda: has(backend, desired=1, running=1))


def test_processes_are_named_as_their_pods_and_startup_is_measured(cluster, backend):
    cluster.deploy("web", 2)
    cluster.wait(lambda: has(backend, desired=2, running=2))
    seen = look(backend)
    assert all(each.name.startswith("web-") and each.host for each in seen.processes)
    assert seen.startup_seconds is not None


def test_stale_version_is_answered_with_a_conflict(cluster, engine):
    cluster.deploy("web", 0)
    stale = str(seen_by(engine).version)
    cluster.patch(f"{cluster.deployments}/web", {"metadata": {"annotations": {"touched-by": "somebody"}}}).checked()
    answer = cluster.patch(f"{cluster.deployments}/web/scale", {"metadata": {"resourceVersion": stale}, "spec": {"replicas": 1}})
    assert (answer.status, answer.json()["reason"]) == (409, "Conflict")


def test_change_of_something_else_in_between_is_looked_at_again_and_scaled(cluster, engine):
    cluster.deploy("web", 0)

    def touch() -> None:
        cluster.patch(f"{cluster.deployments}/web", {"metadata": {"annotations": {"touched-by": uuid.uuid4().hex}}}).checked()

    assert set_by(cluster, engine, 2, touch).kind == "done"
    assert seen_by(engine).counts.desired == 2


def test_count_that_somebody_set_in_between_is_not_overwritten(cluster, engine):
    cluster.deploy("web", 1)
    seen = seen_by(engine)
    cluster.patch(f"{cluster.deployments}/web/scale", {"spec": {"replicas": 3}}).checked()
    verdict = engine.scale(order(seen, 5))["web"]
    assert (verdict.kind, "somebody else set it from 1 to 3" in verdict.sentence) == ("refused", True)
    assert seen_by(engine).counts.desired == 3


def test_changes_carry_the_name_of_their_manager(cluster, engine):
    cluster.deploy("web", 0)
    assert set_by(cluster, engine, 1).kind == "done"
    fields = cluster.ask("GET", f"{cluster.deployments}/web").checked().json()["metadata"]["managedFields"]
    assert any(each["manager"] == MANAGER and each.get("subresource") == "scale" for each in fields)


def test_account_that_may_only_look_is_told_which_right_it_lacks(cluster):
    cluster.deploy("web", 1)
    token = cluster.give("reader", [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}])
    backend = cluster.plugin(token).connect(_TYPES, None)
    try:
        cluster.wait(lambda: look(backend))
        assert f"no right to patch deployments/scale in namespace {cluster.namespace}" in (scale(backend, 2) or "")
    finally:
        backend.close(Event())
    assert cluster.ask("GET", f"{cluster.deployments}/web/scale").json()["spec"]["replicas"] == 1


def test_check_finds_the_right_that_lacks_and_changes_nothing(cluster):
    cluster.deploy("web", 1)
    token = cluster.give("reader", [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}])

    def obstacle(used: str | None = None) -> str | None:
        observer = cluster.plugin(used).observer(_TYPES)
        try:
            seen = look(observer)
            return seen.obstacle if seen else "not seen"
        finally:
            observer.close(Event())

    cluster.wait(lambda: "no right to patch deployments/scale" in (obstacle(token) or ""))
    assert obstacle() is None
    assert cluster.ask("GET", f"{cluster.deployments}/web/scale").json()["spec"]["replicas"] == 1


def test_account_with_the_scale_alone_scales_and_says_what_it_cannot_see(cluster):
    cluster.deploy("web", 1)
    token = cluster.give("scaler", [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "patch"]}])
    backend = cluster.plugin(token).connect(_TYPES, None)
    try:
        cluster.wait(lambda: (seen := look(backend)) and seen.unready)
        reach(cluster, backend, 2)
        cluster.wait(lambda: has(backend, desired=2, running=2))
    finally:
        backend.close(Event())


def test_idlest_process_goes_first(cluster, engine):
    cluster.deploy("web", 3)
    cluster.wait(lambda: seen_by(engine).counts.running == 3)
    seen = seen_by(engine)
    assert seen.chooses_idlest
    names = sorted(each.name for each in seen.processes)
    assert set_by(cluster, engine, 2, **{names[0]: 0.9, names[1]: 0.1, names[2]: 0.8}).kind == "done"
    cluster.wait(lambda: seen_by(engine).counts == Counts(desired=2, running=2))
    assert sorted(each.name for each in seen_by(engine).processes) == [names[0], names[2]]
