"""Read kubeconfig files: which cluster, who asks, and in which namespace."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autoscaler.act.kubernetes.exec_credential import Program, check_version
from autoscaler.model import Json

_CLUSTER_REFUSALS = {
    "insecure-skip-tls-verify": "TLS is always verified here: write the certificate authority of the cluster in place of it",
    "proxy-url": "proxies are not supported here",
    "tls-server-name": "the name in the certificate must be that of the server here",
}
_USER_REFUSALS = {
    "username": "Kubernetes takes no passwords any more: use a token",
    "password": "Kubernetes takes no passwords any more: use a token",
    "auth-provider": "Kubernetes has removed it: use an exec plugin or a token",
    "as": "acting as somebody else is not supported here: use that user's own credentials",
    "as-uid": "acting as somebody else is not supported here: use that user's own credentials",
    "as-groups": "acting as somebody else is not supported here: use that user's own credentials",
}
Entry = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Pem:
    """A certificate or a key: the path of its file, or what it holds."""

    path: str | None = None
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a kubeconfig says of one context."""

    name: str
    server: str
    namespace: str | None
    authorities: Pem | None = None
    certificate: Pem | None = None
    key: Pem | None = None
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    program: Program | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry of a list of names, and the folder that its paths begin in."""

    name: str
    values: Entry
    folder: Path

    def text(self, key: str) -> str:
        """Return a text, empty where there is none."""
        return _text(self.values.get(key), f"{self.name}.{key}")

    def path(self, key: str) -> str | None:
        """Return a path, a relative one from the folder of the file that names it."""
        return str(self.folder / Path(self.text(key)).expanduser()) if self.text(key) else None

    def pem(self, key: str) -> Pem | None:
        """Return what ``KEY-data`` holds, else the file that ``KEY`` names."""
        data = self.text(f"{key}-data")
        if not data:
            path = self.path(key)
            return Pem(path=path) if path else None
        try:
            return Pem(content=base64.b64decode(data, validate=False))
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"{self.name}.{key}-data is not in base 64") from error


def read_context(paths: Sequence[Path], named: str | None) -> Context:
    """Return a context of kubeconfig files, of which the first that says something counts; the current one if none is named.

    Raises ``ValueError`` saying what is wrong or missing, and never a secret.
    """
    documents = [(path.absolute().parent, _load(path)) for path in paths]
    name = named or next((text for _, document in documents if (text := _text(document.get("current-context"), "current-context"))), "")
    if not name:
        raise ValueError("no current-context is set; write context: beside kubeconfig:")
    context = _find(documents, "contexts", "context", name)
    cluster = _find(documents, "clusters", "cluster", context.text("cluster"))
    user = _find(documents, "users", "user", context.text("user")) if context.text("user") else _Found("", {}, Path())
    _refuse(cluster, _CLUSTER_REFUSALS)
    _refuse(user, _USER_REFUSALS)
    token_file = user.path("tokenFile")
    return Context(
        name=name,
        server=cluster.text("server"),
        namespace=context.text("namespace") or None,
        authorities=cluster.pem("certificate-authority"),
        certificate=user.pem("client-certificate"),
        key=user.pem("client-key"),
        token=user.text("token") or None,
        token_file=Path(token_file) if token_file else None,
        program=_program(user, cluster),
    )


def _load(path: Path) -> Entry:
    from ruamel.yaml import YAML  # noqa: PLC0415 - in a cluster there is no kubeconfig to read
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

    try:
        document: Json = YAML(typ="safe", pure=True).load(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    except (YAMLError, ValueError) as error:
        raise ValueError(f"{path} is no YAML") from error
    return _mapping(document, str(path))


def _find(documents: Sequence[tuple[Path, Entry]], listed: str, key: str, name: str) -> _Found:
    names: list[str] = []
    for folder, document in documents:
        for entry in _entries(document, listed):
            names.append(_text(entry.get("name"), f"{listed}.name"))
            if names[-1] == name:
                return _Found(f"{listed}.{name}", _mapping(entry.get(key), f"{listed}.{name}.{key}"), folder)
    raise ValueError(f"no {key} {name or 'without a name'!r} in it; there {'are' if names else 'is'} {', '.join(names) or 'none'}")


def _entries(document: Entry, listed: str) -> Iterator[Entry]:
    found = document.get(listed) or []
    if not isinstance(found, list):
        raise ValueError(f"{listed} is no list")  # noqa: TRY004 - a wrong file, and no wrong program; as below
    for entry in found:
        yield _mapping(entry, listed)


def _program(user: _Found, cluster: _Found) -> Program | None:
    if not user.values.get("exec"):
        return None
    values = _mapping(user.values["exec"], f"{user.name}.exec")
    version = _text(values.get("apiVersion"), "exec.apiVersion")
    check_version(version)
    if values.get("interactiveMode") == "Always":
        raise ValueError("its exec plugin asks a person (interactiveMode: Always), and nobody is here; use a service account's token")
    return Program(
        command=_command(_text(values.get("command"), "exec.command"), user.folder),
        arguments=tuple(_text(each, "exec.args") for each in _list(values.get("args"), "exec.args")),
        environment={_text(each.get("name"), "exec.env"): _text(each.get("value"), "exec.env") for each in _pairs(values)},
        version=version,
        cluster=_cluster_info(cluster) if values.get("provideClusterInfo") is True else None,
        hint=_text(values.get("installHint"), "exec.installHint"),
    )


def _command(command: str, folder: Path) -> str:
    """Find a program as kubectl does: one with a slash from the folder of the kubeconfig, any other on the PATH."""
    if not command:
        raise ValueError("its exec plugin has no command")
    return str(folder / command) if "/" in command else command


def _pairs(values: Entry) -> Iterator[Entry]:
    for each in _list(values.get("env"), "exec.env"):
        yield _mapping(each, "exec.env")


def _cluster_info(cluster: _Found) -> Json:
    pem = cluster.pem("certificate-authority")
    content = pem.content if pem and pem.content else Path(pem.path).read_bytes() if pem and pem.path and Path(pem.path).exists() else b""
    info: dict[str, Json] = {"server": cluster.text("server")}
    return info | ({"certificate-authority-data": base64.b64encode(content).decode()} if content else {})


def _refuse(found: _Found, refusals: Mapping[str, str]) -> None:
    for key, why in refusals.items():
        if found.values.get(key):
            raise ValueError(f"{found.name} has {key}; {why}")


def _mapping(value: Json, where: str) -> Entry:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{where} is no mapping")  # noqa: TRY004 - as above
    return value


def _list(value: Json, where: str) -> Sequence[Json]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"{where} is no list")  # noqa: TRY004 - as above
    return value


def _text(value: Json, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{where} is no text")  # noqa: TRY004 - as above
    return value
