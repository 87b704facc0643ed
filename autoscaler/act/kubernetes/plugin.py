"""Configure the backend that scales workloads of Kubernetes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from autoscaler.act.backend import Backend, require_sound
from autoscaler.act.kubernetes.access import Wanted, find_access
from autoscaler.act.kubernetes.client import Client
from autoscaler.act.kubernetes.engine import KubernetesEngine
from autoscaler.act.kubernetes.workload import Workload, workload_of
from autoscaler.act.remote.api import Server
from autoscaler.act.remote.live import live_engine, observing
from autoscaler.act.remote.naming import fill, find_foreign_keys, find_strangers
from autoscaler.http_client import is_printable_ascii
from autoscaler.model import Duration, Help, PathName, ProcessType, SecretText

_DEFAULT_WORKLOAD = "deployment/{type}"
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")  # a label of RFC 1123


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes:
    """Run the formation as Deployments, StatefulSets or other workloads with a scale, in one namespace of a Kubernetes cluster."""

    namespace: Annotated[str | None, Help("where the workloads are; default that of the pod's own account, or of the kubeconfig's context")] = None
    workload: Annotated[str, Help("what runs a process type: deployment/{type}, statefulset/NAME, PLURAL.VERSION.GROUP/NAME")] = _DEFAULT_WORKLOAD
    names: Annotated[Mapping[str, str], Help("for types that are called otherwise there: NAME or KIND/NAME by process type")] = field(
        default_factory=dict
    )
    kubeconfig: Annotated[
        PathName | None, Help("file to find the cluster by; default the pod's own account, else $KUBECONFIG, else ~/.kube/config")
    ] = None
    context: Annotated[str | None, Help("context of the kubeconfig; default its current one")] = None
    url: Annotated[str | None, Help("address of the API server, in place of a kubeconfig")] = None
    token: Annotated[SecretText | None, Help("token for url")] = field(default=None, repr=False)
    token_file: Annotated[PathName | None, Help("file with a token for url, read again when it changes")] = None
    ca: Annotated[PathName | None, Help("PEM file with the authorities that the API server's certificate is checked by")] = None
    timeout_seconds: Annotated[Duration, Help("how long one call may take")] = 10.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for what cannot be, or contradicts itself."""
        if self.namespace is not None and not _NAMESPACE.fullmatch(self.namespace):
            raise ValueError(f"namespace {self.namespace!r} cannot be; small letters, digits and - are allowed")
        workload_of(fill(self.workload, "x"), "default")
        if self.url is not None:
            self._check_url(self.url)
        elif self.token is not None or self.token_file is not None:
            raise ValueError("token and token_file need url, the address of the API server; add it, or remove them")

    def connect(self, process_types: tuple[ProcessType, ...], previous: Backend | None) -> Backend:
        """Read the credentials; raise ``BackendError`` when there are none. The API is asked when something is to be known."""
        return live_engine(self, process_types, previous, lambda: self._engine(process_types))

    def observer(self, process_types: tuple[ProcessType, ...]) -> Backend:
        """Connect to look only, and to try whether scaling would be allowed."""
        return observing(process_types, lambda: self._engine(process_types, proves_rights=True))

    def mistakes(self, process_types: tuple[ProcessType, ...]) -> tuple[tuple[str, str], ...]:
        """Return (process type, sentence) for everything that would keep this backend from running them."""
        found: list[tuple[str, str]] = [*find_foreign_keys(process_types, "Kubernetes"), *find_strangers(process_types, self.names)]
        first: dict[Workload, str] = {}
        for each in process_types:
            try:
                workload = self._workload(each.name, "default")
            except ValueError as error:
                found.append((each.name, str(error)))
                continue
            if workload in first:
                found.append(
                    (each.name, f"is {workload} there, and so is {first[workload]}; write {{type}} into workload, or another name under names")
                )
            first.setdefault(workload, each.name)
        return tuple(found)

    def workloads(self, process_types: tuple[ProcessType, ...], namespace: str) -> tuple[Workload, ...]:
        """Return what runs each process type; raise ``BackendError`` for names that cannot be."""
        require_sound(self.mistakes(process_types))
        return tuple(self._workload(each.name, namespace) for each in process_types)

    def _check_url(self, url: str) -> None:
        if self.kubeconfig is not None or self.context is not None:
            raise ValueError("url excludes kubeconfig and context; keep one of the two ways")
        if (self.token is None) == (self.token_file is None):
            raise ValueError("url needs token_file, or token: '${NAME}', and not both")
        if self.token is not None and not is_printable_ascii(self.token):
            raise ValueError("token is empty or holds a space, a line break or another character that no token has")
        try:
            server = Server(url=url)
        except ValueError as error:
            raise ValueError(f"url is {error}") from error
        if not server.is_private:
            raise ValueError("url is http://, over which anybody on the way can read the token; write https://")

    def _workload(self, name: str, namespace: str) -> Workload:
        there = self.names.get(name, name)
        return workload_of(there if "/" in there else fill(self.workload, there), namespace)

    def _engine(
        self, process_types: tuple[ProcessType, ...], *, proves_rights: bool = False, now: Callable[[], float] = time.monotonic
    ) -> KubernetesEngine:
        wanted = Wanted(
            kubeconfig=self.kubeconfig,
            context=self.context,
            url=self.url,
            token=self.token,
            token_file=self.token_file,
            ca=self.ca,
            namespace=self.namespace,
        )
        self.workloads(process_types, "default")  # before files are written
        access = find_access(wanted)
        there = self.workloads(process_types, access.namespace)
        names = [each.name for each in process_types]
        access = replace(access, server=replace(access.server, timeout_seconds=self.timeout_seconds))
        return KubernetesEngine(Client(access), dict(zip(names, there, strict=True)), proves_rights=proves_rights, now=now)
