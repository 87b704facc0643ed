"""Find out where the Kubernetes API is and what proves who asks: what the configuration says, a kubeconfig, or the pod's own account."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autoscaler.act.backend import BackendError
from autoscaler.act.kubernetes.exec_credential import ExecToken
from autoscaler.act.kubernetes.kubeconfig import Context, Pem, read_context
from autoscaler.act.kubernetes.tokens import FixedToken, TokenFile, Tokens
from autoscaler.act.remote.api import Server
from autoscaler.http_client import HttpError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # where Kubernetes mounts what a pod's processes may prove themselves with
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the configuration says on how to reach Kubernetes; where it says nothing, the surroundings do."""

    kubeconfig: str | None = None
    context: str | None = None
    url: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: str | None = None
    ca: str | None = None
    namespace: str | None = None


class Files:
    """Certificates and keys that stand in a kubeconfig itself, as files that nobody else can read, until they are dropped."""

    def __init__(self) -> None:
        """Begin without any."""
        self._folder: TemporaryDirectory[str] | None = None
        self._count = 0

    def path_of(self, pem: Pem | None) -> str | None:
        """Return the path of a certificate or key, which is written to a file if it has none."""
        if pem is None or pem.content is None:
            return pem.path if pem else None
        self._folder = self._folder or TemporaryDirectory(prefix="autoscaler-")
        self._count += 1
        path = Path(self._folder.name) / f"{self._count}.pem"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a path cannot open a descriptor
            file.write(pem.content)
        return str(path)

    def drop(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


@dataclass(frozen=True, slots=True)
class Access:
    """A way into one namespace of a Kubernetes cluster."""

    server: Server
    tokens: Tokens
    namespace: str
    files: Files = field(default_factory=Files)


def find_access(wanted: Wanted) -> Access:
    """Return how to reach Kubernetes: by ``url``, else by ``kubeconfig``, else from within the cluster, else by the default kubeconfig.

    Only files are read. Raises ``BackendError`` naming the key and the fix.
    """
    try:
        if wanted.url:
            return _explicit(wanted, wanted.url)
        if wanted.kubeconfig or wanted.context or not _is_in_cluster():
            return _by_kubeconfig(wanted)
        return _in_cluster(wanted)
    except HttpError as error:
        raise BackendError(str(error)) from error


def _explicit(wanted: Wanted, url: str) -> Access:
    tokens: Tokens = TokenFile(Path(wanted.token_file)) if wanted.token_file else FixedToken(wanted.token, "of token:")
    return Access(_server(url, "url", ca=wanted.ca), tokens, wanted.namespace or DEFAULT_NAMESPACE)


def _is_in_cluster() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (ACCOUNT / "token").exists()


def _in_cluster(wanted: Wanted) -> Access:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    url = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    server = _server(url, "KUBERNETES_SERVICE_HOST", ca=wanted.ca or str(ACCOUNT / "ca.crt"))
    return Access(server, TokenFile(ACCOUNT / "token"), wanted.namespace or _own_namespace())


def _own_namespace() -> str:
    try:
        return (ACCOUNT / "namespace").read_text().strip() or DEFAULT_NAMESPACE
    except OSError:
        return DEFAULT_NAMESPACE


def _by_kubeconfig(wanted: Wanted) -> Access:
    paths = _kubeconfigs(wanted.kubeconfig)
    where = ", ".join(map(str, paths))
    try:
        context = read_context(paths, wanted.context)
    except ValueError as error:
        raise BackendError(f"kubeconfig {where}: {error}") from error
    files = Files()
    try:
        server = _server(
            context.server,
            f"the server of context {context.name} in {where}",
            ca=wanted.ca or files.path_of(context.authorities),
            certificate=files.path_of(context.certificate),
            key_file=files.path_of(context.key),
        )
        return Access(server, _tokens(context), wanted.namespace or context.namespace or DEFAULT_NAMESPACE, files)
    except (BackendError, HttpError):
        files.drop()
        raise


def _kubeconfigs(named: str | None) -> tuple[Path, ...]:
    """Return the kubeconfig files there are: the one that is named, those of ``$KUBECONFIG``, or the one at home."""
    if named:
        return (Path(named),)
    listed = [Path(text) for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    candidates = listed or [Path("~/.kube/config").expanduser()]
    found = tuple(path for path in candidates if path.exists())
    if not found:
        shown = " and ".join(map(str, candidates))
        here = "this pod has no token of its account" if os.environ.get("KUBERNETES_SERVICE_HOST") else "this is no pod of a cluster"
        raise BackendError(f"no Kubernetes is configured: {here}, and there is no {shown}; write kubeconfig:, or url: and token_file:")
    return found


def _tokens(context: Context) -> Tokens:
    origin = f"of context {context.name}"
    if context.token_file:
        return TokenFile(context.token_file)
    if context.token:
        return FixedToken(context.token, origin)
    return ExecToken(context.program) if context.program else FixedToken(None, origin)


def _server(url: str, key: str, *, ca: str | None, certificate: str | None = None, key_file: str | None = None) -> Server:
    try:
        server = Server(url=url, ca=ca, certificate=certificate, key=key_file)
    except ValueError as error:
        raise BackendError(f"{key} is {error}") from error
    if not server.is_private:
        raise BackendError(f"{key} is http://, over which anybody on the way can read the token; write https://")
    for path in (ca, certificate, key_file):
        if path and not Path(path).exists():
            raise BackendError(f"{path} does not exist; the certificates of the cluster are needed to reach it")
    return server
