"""Where the API is, and what proves who asks."""

import base64
import json
import os
import stat
import textwrap
from pathlib import Path
from threading import Event

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.kubernetes import Kubernetes, access
from autoscaler.act.kubernetes.exec_credential import ExecToken, Program
from autoscaler.act.kubernetes.tokens import TokenFile
from autoscaler.act.remote.engine import Sighting
from autoscaler.clock import VirtualClock
from autoscaler.http_client import HttpError
from autoscaler.model import Counts, ProcessType
from tests.api_stub import closing
from tests.kubernetes_api import FULL, TOKEN, KubernetesApi, User

WEB = (ProcessType(name="web", minimum=0, maximum=9),)
RENEWED = "renewed-token"


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """No cluster around, no kubeconfig at home."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(access, "ACCOUNT", tmp_path / "account")


@pytest.fixture
def see():
    """Look once by a plug-in, and close."""
    made = []

    def look(plugin):
        made.append(plugin._engine(WEB))
        return made[-1].look()["web"]

    yield look
    for each in made:
        each.close()


def seen(found, running=1):
    assert isinstance(found, Sighting), found
    return found.counts == Counts(desired=running, running=running)


def encoded(path):
    return base64.b64encode(path.read_bytes()).decode()


@pytest.fixture
def kubeconfig(cluster, cluster_certificates, tmp_path):
    """Write a kubeconfig of the made-up cluster with this user, and what else is to stand in it."""
    cluster.deploy("web", 1)

    def write(user, *, name="config", context=None, cluster_keys=None, **top):
        keys = cluster_keys or {"certificate-authority-data": encoded(cluster_certificates.ca)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "shop",
            "clusters": [{"name": "made-up", "cluster": {"server": cluster.url, **keys}}],
            "users": [{"name": "me", "user": user}],
            "contexts": [{"name": "shop", "context": {"cluster": "made-up", "user": "me", "namespace": "shop", **(context or {})}}],
            **top,
        }
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return path

    return write


def program(tmp_path, script, name="login"):
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}")
    path.chmod(0o755)
    return path


def credential(token=TOKEN, ends=None, version="client.authentication.k8s.io/v1", **status):
    given = {"token": token, **({"expirationTimestamp": ends} if ends else {}), **status}
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": given})


# By address


def test_address_and_token_file_reach_the_cluster(cluster, cluster_reach, see, tmp_path):
    cluster.deploy("web", 1)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert seen(see(cluster_reach.plugin(token=None, token_file=str(tmp_path / "token"))))


def test_token_file_that_is_not_there_is_named_at_once(cluster_reach, tmp_path):
    plugin = cluster_reach.plugin(token=None, token_file=str(tmp_path / "none"))
    with pytest.raises(BackendError, match="none cannot be read: No such file or directory"):
        plugin.connect(WEB, None)


def test_authority_that_is_not_there_is_named_at_once(cluster_reach, tmp_path):
    with pytest.raises(BackendError, match=r"ca\.pem does not exist; the certificates of the cluster are needed to reach it"):
        cluster_reach.plugin(ca=str(tmp_path / "ca.pem")).connect(WEB, None)


def test_token_that_has_rotated_is_read_again_when_the_old_one_is_refused(cluster, cluster_reach, tmp_path):
    cluster.deploy("web", 1)
    (tmp_path / "token").write_text(TOKEN)
    engine = cluster_reach.plugin(token=None, token_file=str(tmp_path / "token"))._engine(WEB)
    assert seen(engine.look()["web"])
    cluster.users = {RENEWED: User("renewed", FULL)}
    (tmp_path / "token").write_text(RENEWED)
    assert seen(engine.look()["web"])
    engine.close()


def test_token_file_is_looked_at_every_ten_seconds(tmp_path):
    clock = VirtualClock()
    path = tmp_path / "token"
    path.write_text("first")
    tokens = TokenFile(path, clock.now)
    path.write_text("second-token")
    assert tokens.token() == "first"
    clock.advance(10)
    assert tokens.token() == "second-token"


def test_token_file_that_is_gone_for_a_moment_leaves_the_token(tmp_path):
    clock = VirtualClock()
    (tmp_path / "token").write_text("first")
    tokens = TokenFile(tmp_path / "token", clock.now)
    (tmp_path / "token").unlink()
    clock.advance(10)
    assert tokens.token() == "first"
    assert not tokens.renew("first")


def test_token_that_is_moved_into_place_by_a_link_is_seen(tmp_path):
    clock = VirtualClock()
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "token").write_text(f"token-{number}")
    (tmp_path / "data").symlink_to("1")
    tokens = TokenFile(tmp_path / "data" / "token", clock.now)
    (tmp_path / "data").unlink()
    (tmp_path / "data").symlink_to("2")
    clock.advance(10)
    assert tokens.token() == "token-2"


def test_refused_token_is_told_with_where_it_comes_from_and_without_itself(cluster, cluster_reach, see):
    cluster.users.clear()
    said = see(cluster_reach.plugin())
    assert "answered 401 Unauthorized: the credentials of token: are wrong or have ended; give others" in said
    assert TOKEN not in said


def test_token_is_never_shown(cluster_reach):
    assert TOKEN not in repr(cluster_reach.plugin())


# In a cluster


@pytest.fixture
def pod(cluster, cluster_certificates, tmp_path, monkeypatch):
    """Be a pod of the made-up cluster."""
    cluster.deploy("web", 1)
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text(TOKEN)
    (account / "ca.crt").write_bytes(cluster_certificates.ca.read_bytes())
    (account / "namespace").write_text("shop")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", cluster.url.rpartition(":")[2])
    return account


@pytest.mark.usefixtures("pod")
def test_pod_uses_its_own_account_and_namespace(see):
    assert seen(see(Kubernetes()))


@pytest.mark.usefixtures("pod")
def test_namespace_of_the_configuration_comes_before_the_pods_own(see):
    assert "deployment/web is not in namespace other" in see(Kubernetes(namespace="other"))


def test_kubeconfig_that_is_named_comes_before_the_pods_own_account(pod, kubeconfig, see):
    (pod / "token").write_text("useless")
    assert seen(see(Kubernetes(kubeconfig=str(kubeconfig({"token": TOKEN})))))


def test_without_anything_it_is_said_what_to_write():
    with pytest.raises(BackendError, match=r"no Kubernetes is configured: this is no pod of a cluster, and there is no .*/\.kube/config; write"):
        Kubernetes().connect(WEB, None)


def test_pod_without_a_token_is_told_so(monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(BackendError, match="no Kubernetes is configured: this pod has no token of its account"):
        Kubernetes().connect(WEB, None)


# By kubeconfig


def test_default_kubeconfig_is_found(kubeconfig, see, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", f"/nowhere/config{os.pathsep}{kubeconfig({'token': TOKEN})}")
    assert seen(see(Kubernetes()))


def test_kubeconfig_at_home_is_found(kubeconfig, see):
    home = Path("~/.kube").expanduser()
    home.mkdir(parents=True)
    kubeconfig({"token": TOKEN}).rename(home / "config")
    assert seen(see(Kubernetes()))


def test_kubeconfigs_are_merged_and_the_first_counts(kubeconfig, see, monkeypatch):
    first = kubeconfig({"token": TOKEN}, name="first", contexts=[])
    second = kubeconfig({"token": "useless"}, name="second")
    monkeypatch.setenv("KUBECONFIG", f"{first}{os.pathsep}{second}")
    assert seen(see(Kubernetes()))


def test_kubeconfig_in_yaml_with_paths_of_its_own_folder(cluster, cluster_certificates, tmp_path, see):
    cluster.deploy("web", 1)
    (tmp_path / "ca.pem").write_bytes(cluster_certificates.ca.read_bytes())
    (tmp_path / "the-token").write_text(TOKEN)
    (tmp_path / "config").write_text(
        textwrap.dedent(f"""\
            apiVersion: v1
            kind: Config
            current-context: other
            preferences: {{}}
            clusters:
            - cluster:
                certificate-authority: ca.pem
                server: {cluster.url}
              name: made-up
            contexts:
            - context: {{cluster: made-up, user: me, namespace: shop}}
              name: shop
            users:
            - name: me
              user:
                tokenFile: the-token
            """)
    )
    assert seen(see(Kubernetes(kubeconfig=str(tmp_path / "config"), context="shop")))


def test_client_certificate_proves_who_asks(cluster_certificates, kubeconfig, see):
    user = {"client-certificate-data": encoded(cluster_certificates.client), "client-key-data": encoded(cluster_certificates.client_key)}
    with closing(KubernetesApi(cluster_certificates.server, cluster_certificates.ca)) as strict:
        strict.deploy("web", 1)
        keys = {"server": strict.url, "certificate-authority": str(cluster_certificates.ca)}
        assert seen(see(Kubernetes(kubeconfig=str(kubeconfig(user, cluster_keys=keys)))))


def test_certificates_are_written_for_nobody_else_and_removed(cluster_certificates, kubeconfig, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    user = {"client-certificate-data": encoded(cluster_certificates.client), "client-key-data": encoded(cluster_certificates.client_key)}
    backend = Kubernetes(kubeconfig=str(kubeconfig(user))).connect(WEB, None)
    (folder,) = tmp_path.glob("autoscaler-*")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600] * 3
    backend.close(Event())
    assert not folder.exists()


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ({"username": "me", "password": "secret"}, "users.me has username; Kubernetes takes no passwords any more: use a token"),
        ({"auth-provider": {"name": "gcp"}}, "users.me has auth-provider; Kubernetes has removed it: use an exec plugin or a token"),
        ({"token": TOKEN, "as": "root"}, "users.me has as; acting as somebody else is not supported here"),
        ({"client-certificate-data": "A"}, "users.me.client-certificate-data is not in base 64"),
        (
            {"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1alpha1"}},
            "its exec plugin speaks client.authentication.k8s.io/v1alpha1",
        ),
        ({"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Always"}}, "its exec plugin asks a person"),
        ({"token": 5}, "users.me.token is no text"),
        ({"tokenFile": "/nowhere/token"}, "the token in /nowhere/token cannot be read: No such file or directory"),
    ],
)
def test_what_a_kubeconfig_cannot_have_here_is_said_in_words(kubeconfig, user, sentence):
    with pytest.raises(BackendError) as raised:
        Kubernetes(kubeconfig=str(kubeconfig(user))).connect(WEB, None)
    assert sentence in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"insecure-skip-tls-verify": True}, "clusters.made-up has insecure-skip-tls-verify; TLS is always verified here"),
        ({"proxy-url": "http://proxy:3128"}, "clusters.made-up has proxy-url; proxies are not supported here"),
        ({"server": "http://192.0.2.1:8080"}, "is http://, over which anybody on the way can read the token; write https://"),
        ({"server": ""}, "is not an http or https URL with a host"),
    ],
)
def test_cluster_that_is_not_safe_to_ask_is_refused(kubeconfig, keys, sentence):
    with pytest.raises(BackendError) as raised:
        Kubernetes(kubeconfig=str(kubeconfig({"token": TOKEN}, cluster_keys=keys))).connect(WEB, None)
    assert sentence in str(raised.value)


def test_context_that_is_not_there_is_named_with_those_that_are(kubeconfig):
    with pytest.raises(BackendError, match=r"config: no context 'production' in it; there are shop"):
        Kubernetes(kubeconfig=str(kubeconfig({"token": TOKEN})), context="production").connect(WEB, None)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a: [", "is no YAML"),
        ("[]", "is no mapping"),
        ("{}", "no current-context is set"),
        ("users: 5\ncurrent-context: x", "no context 'x' in it; there is none"),
    ],
)
def test_kubeconfig_that_is_none_is_said_to_be_none(tmp_path, content, sentence):
    (tmp_path / "config").write_text(content)
    with pytest.raises(BackendError, match=sentence):
        Kubernetes(kubeconfig=str(tmp_path / "config")).connect(WEB, None)


def test_kubeconfig_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BackendError, match="config cannot be read: No such file or directory"):
        Kubernetes(kubeconfig=str(tmp_path / "config")).connect(WEB, None)


# Exec plugins


def test_exec_plugin_gives_the_token_and_is_told_of_the_cluster(kubeconfig, tmp_path, see):
    script = program(
        tmp_path,
        f"printf '%s' \"$KUBERNETES_EXEC_INFO\" >{tmp_path}/info\nprintf '%s %s' \"$1\" \"$REGION\" >{tmp_path}/given\necho '{credential()}'\n",
    )
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": f"./{script.name}",
            "args": ["get-token"],
            "env": [{"name": "REGION", "value": "north"}],
            "interactiveMode": "IfAvailable",
            "provideClusterInfo": True,
        }
    }
    assert seen(see(Kubernetes(kubeconfig=str(kubeconfig(user)))))
    info = json.loads((tmp_path / "info").read_text())
    assert (info["kind"], info["apiVersion"], info["spec"]["interactive"]) == ("ExecCredential", "client.authentication.k8s.io/v1", False)
    assert set(info["spec"]["cluster"]) == {"server", "certificate-authority-data"}
    assert (tmp_path / "given").read_text() == "get-token north"


def counted(tmp_path, answer):
    """Return a program that counts how often it runs."""
    return Program(command=str(program(tmp_path, f"echo x >>{tmp_path}/runs\n{answer}\n")))


def runs(tmp_path):
    return len((tmp_path / "runs").read_text().split())


def test_token_of_an_exec_plugin_is_kept_until_shortly_before_its_end(tmp_path):
    clock = VirtualClock(wall=1_790_000_000.0)  # 2026-09-21T14:13:20Z
    tokens = ExecToken(counted(tmp_path, f"echo '{credential(ends='2026-09-21T14:20:00Z')}'"), clock)
    assert [tokens.token(), tokens.token()] == [TOKEN, TOKEN]
    assert runs(tmp_path) == 1
    clock.advance(371)
    tokens.token()
    assert runs(tmp_path) == 2


def test_exec_plugin_runs_once_more_for_a_token_that_was_refused_by_many_calls(tmp_path):
    tokens = ExecToken(counted(tmp_path, f"echo '{credential()}'"), VirtualClock())
    refused = tokens.token()
    for _ in range(5):
        assert tokens.renew(refused)
        tokens.token()
        refused = "an older one"
    assert runs(tmp_path) == 2


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("echo secret-words >&2; exit 3", "failed with 3; kubectl shows its own words: log in again there"),
        ("echo nothing", "wrote no ExecCredential"),
        (f"echo '{credential(version='v2')}'", "wrote no ExecCredential of client.authentication.k8s.io/v1"),
        (f"echo '{credential(token='')}'", "gave no token; use a service account's token"),
        (f"echo '{credential(token='', clientCertificateData='pem')}'", "gave a certificate, which is not supported here"),
        (f"echo '{credential(ends='2020-01-01T00:00:00Z')}'", "gave a token that has ended already; log in again, or set the clock right"),
    ],
)
def test_exec_plugin_that_gives_no_token_is_told_in_words_without_its_own(tmp_path, answer, sentence):
    clock = VirtualClock(wall=1_790_000_000.0)
    tokens = ExecToken(counted(tmp_path, answer), clock)
    with pytest.raises(HttpError) as raised:
        tokens.token()
    assert sentence in str(raised.value)
    assert "secret-words" not in str(raised.value)


def test_exec_plugin_that_fails_is_not_run_for_every_call(tmp_path):
    clock = VirtualClock()
    tokens = ExecToken(counted(tmp_path, "exit 1"), clock)
    for _ in range(3):
        with pytest.raises(HttpError):
            tokens.token()
    assert runs(tmp_path) == 1
    clock.advance(6)
    with pytest.raises(HttpError):
        tokens.token()
    assert runs(tmp_path) == 2


def test_exec_plugin_that_does_not_end_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("autoscaler.act.kubernetes.exec_credential._DEADLINE_SECONDS", 0.2)
    tokens = ExecToken(Program(command=str(program(tmp_path, "sleep 60"))), VirtualClock())
    with pytest.raises(HttpError, match=r"login gave no token within 0.2 s"):
        tokens.token()


def test_exec_plugin_that_is_not_installed_is_told_with_its_hint(kubeconfig, see):
    user = {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login", "installHint": "Install it\nwith: gcloud components"}
    }
    said = see(Kubernetes(kubeconfig=str(kubeconfig(user))))
    assert said == "the exec plugin no-such-login cannot be run (No such file or directory): Install it with: gcloud components"
