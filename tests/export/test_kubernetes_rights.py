"""The exported rights against the backend: enough for all that it does, and no more."""

import re

import pytest

from autoscaler.act.kubernetes.workload import workload_of
from autoscaler.export.kubernetes import write_kubernetes
from autoscaler.export.kubernetes_installation import Installation
from tests.export.kubernetes_schemas import read
from tests.kubernetes_api import RESOURCES, TOKEN, User, cluster, cluster_certificates, cluster_reach
from tests.remote_formation import remote, types

__all__ = ["cluster", "cluster_certificates", "cluster_reach"]

_NAMES = {"web": "web", "feed": "statefulset/feed", "crawl": "crawlers.v1.example.com/crawl"}
_VERBS = {"GET": "get", "PATCH": "patch"}
_ADDRESS = re.compile(r"/namespaces/shop/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+))?(?P<sub>/scale)?$")
# Every account may ask what it may do: the ClusterRole system:basic-user.
_EVERYBODYS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
# Read where the rule that lets the workload itself be read was removed.
_IN_RESERVE = {"get deployments/scale web", "get statefulsets/scale feed"}


@pytest.fixture
def rules(cluster):
    """Give the controller the exported rights in a cluster, and no others."""
    workloads = tuple(workload_of(text if "/" in text else f"deployment/{text}", "shop") for text in _NAMES.values())
    names = {"name": "autoscaler", "namespace": "shop", "image": "a", "configuration": ""}
    made = Installation(**names, listen=None, workloads=workloads, variables=(), told=frozenset(workloads))
    files = read(write_kubernetes(made))
    group = "rbac.authorization.k8s.io"
    cluster.put(RESOURCES[group, "v1", "roles"], "shop", "autoscaler", {"rules": files["role.yaml"]["rules"]})
    bound = {key: files["rolebinding.yaml"][key] for key in ("subjects", "roleRef")}
    cluster.put(RESOURCES[group, "v1", "rolebindings"], "shop", "autoscaler", bound)
    cluster.users[TOKEN] = User("system:serviceaccount:shop:autoscaler", frozenset())
    return files["role.yaml"]["rules"]


def _given(rules):
    return {
        f"{verb} {resource} {name}".strip()
        for rule in rules
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def _used(asked):
    found = _ADDRESS.search(asked.path)
    assert found, asked.line
    what = f"{found['resource']}{found['sub'] or ''}"
    if found["name"] is None:
        return f"list {what}"
    return f"{_VERBS[asked.method]} {what}" if what == "pods" else f"{_VERBS[asked.method]} {what} {found['name']}"


@pytest.fixture
def formation(cluster, cluster_reach, rules, eventually):
    """A web, a feed and a crawl type, as workloads of three kinds without processes."""
    assert rules
    for name, kind in (("web", "deployments"), ("feed", "statefulsets"), ("crawl", "crawlers")):
        cluster.deploy(name, kind=kind)
    with remote(cluster_reach.plugin(names=_NAMES), eventually) as made:
        yield made.connect(*_NAMES)


def test_the_exported_rights_do_for_all_that_the_backend_does_and_none_is_left_over(cluster, rules, formation):
    formation.observe()
    assert formation.scale(web=3, feed=2, crawl=2) == {"web": None, "feed": None, "crawl": None}
    seen = formation.wait("web", running=3)
    formation.wait("feed", running=2)
    formation.scale(web=2, loads={process.name: float(number) for number, process in enumerate(seen.processes)})
    formation.wait("web", running=2, draining=0)

    assert {_used(each) for each in cluster.asked if each.path != _EVERYBODYS} == _given(rules) - _IN_RESERVE
    assert [note for each in formation.observe().types.values() for note in each.notes] == []


@pytest.mark.usefixtures("formation")
def test_the_exported_rights_pass_the_check(cluster_reach):
    seen = cluster_reach.plugin(names=_NAMES).observer(types(*_NAMES))
    try:
        looked = seen.observe()
    finally:
        seen.close(None)

    assert looked.errors == {}
    assert [each.obstacle for each in looked.types.values() if each.obstacle] == []


def test_a_controller_without_the_right_to_mark_pods_still_scales(rules, formation):
    (pods,) = (rule for rule in rules if rule["resources"] == ["pods"])
    pods["verbs"] = ["list"]

    formation.scale(web=3)
    seen = formation.wait("web", running=3)
    formation.scale(web=1, loads={process.name: 1.0 for process in seen.processes})
    formation.wait("web", running=1)
