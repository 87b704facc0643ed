"""Manifests of the controller: accepted by Kubernetes, with the least rights, and saying what to type."""

import copy
from dataclasses import replace

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from autoscaler.act.kubernetes.workload import workload_of
from autoscaler.cli.main import program
from autoscaler.config.document import Document
from autoscaler.config.loading import load_text
from autoscaler.config.substitution import substitute
from autoscaler.export.kubernetes import write_kubernetes
from autoscaler.export.kubernetes_installation import Installation, Variable, find_mistakes
from autoscaler.export.kubernetes_surroundings import find_variables
from autoscaler.export.kubernetes_yaml import Noted, write_yaml
from autoscaler.model import Address
from autoscaler.settings import Listen
from tests.export.kubernetes_schemas import RELEASES, find_refusal, read

_CONFIGURATION = """\
listen: 0.0.0.0:9797
listen_token: ${TOKEN}
backend: {kubernetes: {namespace: shop, names: {worker: shop-worker}}}
formation:
  web: {minimum: 1, maximum: 4}
  worker: {minimum: 1, maximum: 4}
"""
_INSTALLATION = Installation(
    name="autoscaler",
    namespace="shop",
    image="registry.example/formation-autoscaler:1.2",
    configuration=_CONFIGURATION,
    listen=Listen(address=Address("0.0.0.0", 9797), token="x"),  # noqa: S104, S106 - as in a pod, and no secret
    workloads=tuple(workload_of(text, "shop") for text in ("deployment/web", "statefulset/feed", "crawlers.v1.example.com/crawl")),
    variables=(Variable(name="TOKEN"), Variable(name="LEVEL", has_default=True)),
    told=frozenset({workload_of("deployment/web", "shop"), workload_of("statefulset/feed", "shop")}),
)
_FILES = ["serviceaccount.yaml", "role.yaml", "rolebinding.yaml", "configmap.yaml", "deployment.yaml", "service.yaml"]


def _pod(**values):
    return read(write_kubernetes(replace(_INSTALLATION, **values)))["deployment.yaml"]["spec"]["template"]["spec"]


def _rules(**values):
    rules = read(write_kubernetes(replace(_INSTALLATION, **values)))["role.yaml"]["rules"]
    return {(group, resource): rule for rule in rules for group in rule["apiGroups"] for resource in rule["resources"]}


@pytest.mark.parametrize("release", RELEASES)
def test_every_manifest_is_one_that_kubernetes_accepts(release):
    manifests = read(write_kubernetes(_INSTALLATION))

    assert list(manifests) == _FILES
    assert [refusal for each in manifests.values() if (refusal := find_refusal(each, release))] == []


def test_the_schemas_refuse_what_kubernetes_would():
    deployment = read(write_kubernetes(_INSTALLATION))["deployment.yaml"]
    misspelt = copy.deepcopy(deployment)
    misspelt["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    mistaken = copy.deepcopy(deployment)
    mistaken["spec"]["replicas"] = "1"

    assert "livenesProbe" in find_refusal(misspelt, "1.31")
    assert "spec.replicas" in find_refusal(mistaken, "1.31")


def test_manifests_are_the_same_each_time():
    assert write_kubernetes(_INSTALLATION) == write_kubernetes(replace(_INSTALLATION, workloads=_INSTALLATION.workloads[::-1]))


def test_two_controllers_never_run_side_by_side():
    spec = read(write_kubernetes(_INSTALLATION))["deployment.yaml"]["spec"]

    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_a_new_configuration_starts_a_new_controller():
    templates = [
        read(write_kubernetes(replace(_INSTALLATION, configuration=text)))["deployment.yaml"]["spec"]["template"] for text in ("a: 1\n", "a: 2\n")
    ]

    assert templates[0] != templates[1]


def test_the_pod_fulfils_the_strictest_pod_security_standard():
    pod = _pod()
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert {next(key for key in volume if key != "name") for volume in pod["volumes"]} == {"configMap", "emptyDir"}


def test_the_rights_are_those_of_the_formation_and_no_more():
    rules = _rules()

    assert {(group, resource): (rule["verbs"], rule.get("resourceNames")) for (group, resource), rule in rules.items()} == {
        ("apps", "deployments/scale"): (["get", "patch"], ["web"]),
        ("apps", "deployments"): (["get"], ["web"]),
        ("apps", "statefulsets/scale"): (["get", "patch"], ["feed"]),
        ("apps", "statefulsets"): (["get"], ["feed"]),
        ("example.com", "crawlers/scale"): (["get", "patch"], ["crawl"]),
        ("", "pods"): (["list", "patch"], None),
        ("autoscaling", "horizontalpodautoscalers"): (["list"], None),
        ("keda.sh", "scaledobjects"): (["list"], None),
    }


def test_pods_are_not_patched_where_no_replica_set_looks_at_them():
    assert _rules(workloads=(workload_of("statefulset/feed", "shop"),))["", "pods"]["verbs"] == ["list"]


def test_pods_are_not_patched_where_nothing_tells_which_are_the_idlest():
    assert _rules(told=frozenset())["", "pods"]["verbs"] == ["list"]


@pytest.mark.parametrize(("metric", "verbs"), [("load", ["list", "patch"]), ("waiting", ["list"])])
def test_a_metric_of_each_process_that_a_policy_reads_tells_the_idlest(folder, metric, verbs):
    metrics = "{load: {prometheus_text: {metric: busy, each_process: true, process_type: web}}, waiting: {file: {path: waiting}}}"
    policies = f"policies: [{{target: {{metric: {metric}, per_process: 5}}}}]"
    (folder / "autoscaler.yaml").write_text(f"backend: kubernetes\nmetrics: {metrics}\nformation: {{web: {{maximum: 4, {policies}}}}}\n")
    result = CliRunner().invoke(program, ["export", "kubernetes"], prog_name="autoscaler")
    assert result.exit_code == 0, result.output
    (pods,) = (rule for rule in read({"role": (folder / "kubernetes/role.yaml").read_text()})["role"]["rules"] if rule["resources"] == ["pods"])
    assert pods["verbs"] == verbs


def test_workloads_of_another_namespace_have_their_rights_there():
    workloads = (workload_of("deployment/web", "shop"), workload_of("deployment/mail", "post"))

    files = read(write_kubernetes(replace(_INSTALLATION, namespace="ops", workloads=workloads)))

    roles = {name: manifest["metadata"]["namespace"] for name, manifest in files.items() if "role" in name}
    assert roles == {"role-post.yaml": "post", "rolebinding-post.yaml": "post", "role-shop.yaml": "shop", "rolebinding-shop.yaml": "shop"}
    assert files["rolebinding-post.yaml"]["subjects"] == [{"kind": "ServiceAccount", "name": "autoscaler", "namespace": "ops"}]
    assert files["role-post.yaml"]["rules"][0]["resourceNames"] == ["mail"]


def test_what_commands_leave_behind_is_reaped():
    assert "shareProcessNamespace" not in _pod()
    assert _pod(runs_commands=True)["shareProcessNamespace"] is True


def test_secrets_are_named_and_never_written():
    environment = _pod()["containers"][0]["env"]

    assert environment[1:] == [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "autoscaler", "key": "TOKEN", "optional": False}}},
        {"name": "LEVEL", "valueFrom": {"secretKeyRef": {"name": "autoscaler", "key": "LEVEL", "optional": True}}},
    ]


@pytest.mark.parametrize("certificate", [None, "tls.pem"])
def test_a_controller_that_listens_for_others_is_asked_over_the_network(certificate):
    container = _pod(listen=replace(_INSTALLATION.listen, certificate=certificate))["containers"][0]

    asked = {"port": "http", "scheme": "HTTPS" if certificate else "HTTP"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/-/healthy", **asked}
    assert container["readinessProbe"]["httpGet"] == {"path": "/-/ready", **asked}
    assert container["ports"] == [{"name": "http", "containerPort": 9797}]


def test_a_controller_that_listens_on_loopback_is_asked_within_its_container():
    files = write_kubernetes(replace(_INSTALLATION, listen=Listen(address=Address("127.0.0.1", 9797))))
    container = read(files)["deployment.yaml"]["spec"]["template"]["spec"]["containers"][0]

    assert container["livenessProbe"]["exec"]["command"][:3] == ["python3", "-I", "-c"]
    assert "ports" not in container
    assert "service.yaml" not in files


def test_a_controller_that_does_not_listen_is_not_asked():
    assert [key for key in _pod(listen=None)["containers"][0] if key.endswith("Probe")] == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "Shop"}, "'Shop' is no name in a cluster"),
        ({"name": "1a"}, "begin with a letter"),
        ({"name": "a" * 64}, "use at most 63"),
        ({"namespace": "a_b"}, "'a_b' is no namespace"),
        ({"image": "a b"}, "'a b' is no image"),
        ({"configuration": "#" * 1_000_001}, "the configuration has 1000001 bytes"),
    ],
)
def test_what_a_cluster_would_refuse_is_named(values, said):
    (mistake,) = find_mistakes(replace(_INSTALLATION, **values))

    assert said in mistake


@given(st.one_of(st.text(), st.text("yYeEsSnNoO01.:_-+~#'\" \n\t|>{}é\r")))
def test_any_text_reads_the_same_by_both_versions_of_yaml(text):
    written = write_yaml({"a": {text or "key": Noted("why", text)}, "b": [text, Noted("why", {"c": text})]}, "head")

    expected = {"a": {text or "key": text}, "b": [text, {"c": text}]}
    assert yaml.safe_load(written) == expected
    assert YAML(typ="safe", pure=True).load(written) == expected


class _Environment(dict):
    """Knows every variable, and which it was asked for."""

    def __init__(self):
        super().__init__()
        self.asked = set()

    def __contains__(self, name):
        self.asked.add(name)
        return True

    def get(self, name, default=None):
        self.asked.add(name)
        return default


@given(st.text("${}:-AB ", max_size=20))
def test_variables_are_those_that_the_configuration_asks_for(text):
    environment = _Environment()
    document = substitute(Document(name="a.yaml", written={"a": [text]}), environment)

    found = find_variables({"a": [text]})

    assert document.mistakes or {each.name for each in found} == environment.asked


def test_a_variable_may_be_left_out_where_each_place_has_a_default():
    found = find_variables({"a": "${A} $${B} ${C:-}", "b": [{"c": "${A:-1}${D:-2}"}]})

    assert [(each.name, each.has_default) for each in found] == [("A", False), ("C", True), ("D", True)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTOSCALER_CONFIG", raising=False)
    monkeypatch.setenv("TOKEN", "a-secret")
    (tmp_path / "autoscaler.yaml").write_text(_CONFIGURATION)
    return tmp_path


@pytest.fixture
def export(folder):
    """Export, with a text of the configuration replaced."""

    def call(*arguments, old="", new=""):
        assert old in _CONFIGURATION
        (folder / "autoscaler.yaml").write_text(_CONFIGURATION.replace(old, new, 1) if old else _CONFIGURATION)
        return CliRunner().invoke(program, ["export", "kubernetes", *arguments], prog_name="autoscaler")

    return call


def test_files_are_written_and_what_to_type_is_said(export, folder):
    result = export("--image", "registry.example/a:1")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        *(f"wrote kubernetes/{name}" for name in _FILES),
        "look them over, then type:",
        '  kubectl --namespace shop create secret generic autoscaler --from-literal=TOKEN="$TOKEN"',
        "  kubectl apply -f kubernetes",
        "  kubectl --namespace shop rollout status deployment/autoscaler",
        "  kubectl --namespace shop exec deployment/autoscaler -- autoscaler check --connect",
    ]
    written = {path.name: path.read_text() for path in (folder / "kubernetes").iterdir()}
    assert read(written)["configmap.yaml"]["data"] == {"autoscaler.yaml": _CONFIGURATION}
    assert "a-secret" not in "".join(written.values())


def test_a_dash_prints_all_that_kubectl_applies(export):
    printed = export("-", "--name", "scaler", "--namespace", "ops").stdout

    kinds = [manifest["kind"] for manifest in yaml.safe_load_all(printed)]
    assert kinds == ["ServiceAccount", "Role", "RoleBinding", "ConfigMap", "Deployment", "Service"]
    assert printed.count("  namespace: shop\n") == 2
    assert printed.count("  namespace: ops\n") == 5


def test_files_of_others_stay_unless_they_may_be_replaced(export, folder):
    export()
    (folder / "kubernetes" / "role.yaml").write_text("mine\n")

    refused = export()

    assert refused.exit_code == 1
    assert refused.stderr == "kubernetes/role.yaml: there already, and different; replace with --force\n"
    assert export("--force").exit_code == 0
    assert "mine" not in (folder / "kubernetes" / "role.yaml").read_text()


def test_names_of_the_configuration_are_those_of_the_rights(export):
    (role,) = (each for each in yaml.safe_load_all(export("-").stdout) if each["kind"] == "Role")

    assert role["rules"][0]["resourceNames"] == ["shop-worker", "web"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{kubernetes: {namespace: shop, names: {worker: shop-worker}}}",
            "dry_run",
            "autoscaler.yaml has no kubernetes backend; write `backend: kubernetes`",
        ),
        ("namespace: shop", "kubeconfig: k", "backend kubernetes: kubeconfig is for a controller outside the cluster; remove it"),
        ("0.0.0.0:9797", "10.1.2.3:9797", "listen: 10.1.2.3:9797 is no address of a pod"),
        ("0.0.0.0:9797", "0.0.0.0:80", "listen: port 80 may not be opened by every user"),
        ("0.0.0.0:9797", "127.0.0.1:9797\nlisten_certificate: c\nlisten_key: k", "listen: TLS on 127.0.0.1:9797 has nobody to serve"),
        ("listen_token: ${TOKEN}", "listen_token: ${MISSING}", "${MISSING} is not set in the environment"),
    ],
)
def test_what_cannot_work_in_a_cluster_is_named_and_nothing_is_written(export, folder, old, new, said):
    result = export(old=old, new=new)

    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert not (folder / "kubernetes").exists()


def test_types_that_a_pod_cannot_run_are_named(export):
    result = export(
        old=_CONFIGURATION,
        new="""\
backends: {cluster: kubernetes, here: {local: {}}}
formation:
  web: {backend: cluster, maximum: 1}
  mail: {backend: here, maximum: 1, command: x}
""",
    )

    assert result.exit_code == 2
    assert result.stderr.startswith("mail: backend local runs processes on the controller's own machine")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0.0.0.0:9797", "127.0.0.1:9797", "Prometheus does not reach listen: 127.0.0.1:9797 in a pod"),
        ("0.0.0.0:9797", "null", "listen is null, so that the cluster cannot tell a controller that hangs"),
        ("listen_token: ${TOKEN}", "listen_certificate: c.pem\nlisten_key: k.pem", "c.pem, which is not in the pod; add a volume"),
        ("formation:", "metrics: {a: {file: {path: load}}}\nformation:", "metric a reads /etc/autoscaler/load, which is not in the pod"),
        ("formation:", "metrics: {a: {sql: {url: 'sqlite:///jobs.db', query: select 1}}}\nformation:", "metric a reads /etc/autoscaler/jobs.db"),
        ("formation:", "metrics: {a: {command: {command: date}}}\nformation:", "metric a runs commands, and the image has no programs"),
        (
            "formation:",
            "metrics: {a: {prometheus: {url: 'http://localhost:9090', query: up}}}\nformation:",
            "metric a asks localhost, which in a pod is the pod",
        ),
        ("", "", "note: formation-autoscaler:"),
    ],
)
def test_what_the_pod_will_miss_is_told(export, folder, old, new, said):
    result = export(old=old, new=new)

    assert result.exit_code == 0, result.output
    assert said.replace("{folder}", str(folder)) in result.stdout


def test_the_exported_configuration_passes_the_check(export):
    (exported,) = (each for each in yaml.safe_load_all(export("-").stdout) if each["kind"] == "ConfigMap")

    settings = load_text(exported["data"]["autoscaler.yaml"], "autoscaler.yaml", {"TOKEN": "x"})

    assert [one.name for one in settings.types] == ["web", "worker"]
