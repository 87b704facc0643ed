"""What the configuration may say, and what it means."""

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.kubernetes import Kubernetes
from autoscaler.act.kubernetes.selector import plan_lists, selector_in, selector_of
from autoscaler.act.kubernetes.shapes import LabelSelector
from autoscaler.act.kubernetes.workload import workload_of
from autoscaler.model import Address, ProcessType

WEB = ProcessType(name="web", minimum=0, maximum=9)
JOB = ProcessType(name="job", minimum=0, maximum=9)
PLACE = {"url": "https://127.0.0.1:6443", "token": "t"}


@pytest.mark.parametrize(
    ("text", "path", "shown"),
    [
        ("deployment/web", "/apis/apps/v1/namespaces/shop/deployments/web", "deployment/web"),
        ("deploy/web", "/apis/apps/v1/namespaces/shop/deployments/web", "deployment/web"),
        ("StatefulSet/db", "/apis/apps/v1/namespaces/shop/statefulsets/db", "statefulset/db"),
        ("replicasets/web", "/apis/apps/v1/namespaces/shop/replicasets/web", "replicaset/web"),
        (
            "rollouts.v1alpha1.argoproj.io/web.eu",
            "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web.eu",
            "rollouts.argoproj.io/web.eu",
        ),
    ],
)
def test_workload_is_written_as_kubectl_writes_it(text, path, shown):
    workload = workload_of(text, "shop")
    assert (workload.path, str(workload)) == (path, shown)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("web", "names no workload"),
        ("deployment/", "names no workload"),
        ("pod/web", "'pod' has no scale that is known"),
        ("daemonset/web", "'daemonset' has no scale that is known"),
        ("rollouts.argoproj.io/web", "has no scale that is known"),
        ("deployments.v1.apps/web", "has no scale that is known"),
        ("deployment/Web", "'Web' cannot be the name of a workload"),
        ("deployment/a/b", "'a/b' cannot be the name of a workload"),
        ("deployment/..", "'..' cannot be the name of a workload"),
    ],
)
def test_workload_that_cannot_be_is_refused_with_the_fix(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        workload_of(text, "shop")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workload": "web"}, "names no workload"),
        ({"namespace": "Shop"}, "namespace 'Shop' cannot be"),
        ({"token": "t"}, "token and token_file need url"),
        ({"url": "https://127.0.0.1:6443"}, "url needs token_file, or token"),
        ({**PLACE, "token_file": "/token"}, "url needs token_file, or token: .*, and not both"),
        ({**PLACE, "context": "shop"}, "url excludes kubeconfig and context"),
        ({**PLACE, "url": "ftp://127.0.0.1"}, "url is not an http or https URL with a host"),
        ({**PLACE, "url": "http://192.0.2.1:8080"}, "url is http://, over which anybody on the way can read the token; write https://"),
        ({**PLACE, "token": "secret word"}, "token is empty or holds a space"),
    ],
)
def test_configuration_that_cannot_be_is_refused_with_the_fix(options, sentence):
    with pytest.raises(ValueError, match=sentence) as raised:
        Kubernetes(**options)
    assert "secret" not in str(raised.value)


def test_keys_of_processes_that_the_controller_starts_itself_are_mistakes():
    mistakes = Kubernetes().mistakes((ProcessType(name="web", minimum=0, maximum=9, listen=Address("127.0.0.1", 80)),))
    assert mistakes == (("web", "listen is not for Kubernetes, which has its own description of how processes run; remove it"),)


def test_two_types_of_one_workload_are_a_mistake():
    mistakes = Kubernetes(names={"job": "web"}).mistakes((WEB, JOB))
    assert mistakes == (("job", "is deployment/web there, and so is web; write {type} into workload, or another name under names"),)


def test_name_that_kubernetes_cannot_have_is_a_mistake_with_the_fix():
    mistakes = Kubernetes().mistakes((ProcessType(name="web_eu", minimum=0, maximum=9),))
    assert mistakes == (
        ("web_eu", "'web_eu' cannot be the name of a workload; small letters, digits and - are allowed: give another one under names"),
    )


def test_mistakes_keep_it_from_connecting():
    with pytest.raises(BackendError, match=r"formation\.job: is deployment/web there"):
        Kubernetes(**PLACE, names={"job": "web"}).connect((WEB, JOB), None)


def test_connection_stays_over_a_reload_of_the_same_configuration(cluster_reach):
    plugin = cluster_reach.plugin()
    backend = plugin.connect((WEB,), None)
    assert cluster_reach.plugin().connect((WEB,), backend) is backend
    other = cluster_reach.plugin(namespace="other").connect((WEB,), backend)
    assert other is not backend


def lists(**texts):
    return sorted(plan_lists({name: selector_in(text) for name, text in texts.items()}))


def test_selectors_with_the_same_labels_share_a_list():
    assert lists(web="app=shop,process=web", job="app=shop,process=job") == [("app=shop,process in (job,web)", ("web", "job"))]


def test_selectors_with_other_labels_have_lists_of_their_own():
    assert lists(web="app=web", job="role=job") == [("app=web", ("web",)), ("role=job", ("job",))]


def test_selector_with_more_than_equal_values_has_a_list_of_its_own():
    assert lists(web="app=web", job="app in (job,old)") == [("app in (job,old)", ("job",)), ("app=web", ("web",))]


def test_shared_list_returns_more_than_belongs_to_one_type():
    selector = selector_in("app=shop,process=web")
    assert selector.fits({"app": "shop", "process": "web", "pod-template-hash": "x"})
    assert not selector.fits({"app": "shop", "process": "job"})


def test_many_types_are_listed_by_forty():
    selectors = {f"t{number}": selector_in(f"app=t{number}") for number in range(100)}
    assert [len(names) for _, names in plan_lists(selectors)] == [40, 40, 20]


@pytest.mark.parametrize("empty", [selector_in(""), selector_of(LabelSelector())])
def test_empty_selector_which_would_be_every_pod_is_none(empty):
    assert empty is None
