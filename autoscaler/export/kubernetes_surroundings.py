"""Find what a configuration counts on and a pod does not have: other machines' processes, files, commands and neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from autoscaler.act.command import Command
from autoscaler.act.kubernetes import Kubernetes
from autoscaler.act.local import Local
from autoscaler.act.systemd import Systemd
from autoscaler.config.addresses import is_loopback
from autoscaler.config.annotations import mentions
from autoscaler.config.derive import options_of
from autoscaler.export.kubernetes_installation import Variable
from autoscaler.export.kubernetes_probes import is_open
from autoscaler.model import Address, FilePath, Json
from autoscaler.observe.command import CommandSource
from autoscaler.observe.sql import SqlSource
from autoscaler.settings import Settings

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^{}]*)?\}")
_COMMANDS = (Command, CommandSource)
_FOLDER = Path("/etc/autoscaler")  # of the configuration in the pod
_ACCESS = ("url", "kubeconfig", "context", "token", "token_file", "ca")  # keys that say how a cluster is reached from outside


def find_backend_mistakes(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each backend that cannot work from within a pod, with the fix."""
    if not any(isinstance(plugin, Kubernetes) for plugin in settings.backends.values()):
        yield f"{settings.path} has no kubernetes backend; write `backend: kubernetes`, with the namespace and the names of the workloads"
    for name, plugin in settings.backends.items():
        types = ", ".join(one.name for one in settings.types if one.backend == name)
        if isinstance(plugin, Local | Systemd) and types:
            kind = type(plugin).__name__.lower()
            yield f"{types}: backend {kind} runs processes on the controller's own machine or by its ssh, which a pod has not; leave them to another"
        given = [key for key in _ACCESS if isinstance(plugin, Kubernetes) and getattr(plugin, key, None) is not None]
        if given:
            yield f"backend kubernetes: {', '.join(given)} is for a controller outside the cluster; remove it, a pod uses its ServiceAccount"


def find_variables(document: Json) -> tuple[Variable, ...]:
    """List every ``${NAME}`` of a configuration as written, each once, in alphabetical order."""
    found: dict[str, bool] = {}
    for match in (match for text in _texts(document) for match in _REFERENCE.finditer(text)):
        if match["name"]:
            found[match["name"]] = found.get(match["name"], True) and match["default"] is not None
    return tuple(Variable(name=name, has_default=has_default) for name, has_default in sorted(found.items()))


def runs_commands(settings: Settings) -> bool:
    """Tell whether commands of the operator's are run beside the controller."""
    plugins = (*(metric.source for metric in settings.metrics), *settings.backends.values())
    return any(isinstance(each, _COMMANDS) for each in plugins)


def find_absences(settings: Settings) -> Iterator[str]:
    """Yield a note on everything that has to be brought into the pod, or named otherwise there."""
    yield from _find_listen_notes(settings)
    for metric in settings.metrics:
        for said in _find_plugin_notes(metric.source, settings):
            yield f"metric {metric.name} {said}"
    for name, plugin in settings.backends.items():
        for said in _find_plugin_notes(plugin, settings):
            yield f"backend {name} {said}"


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from _texts(item)


def _find_listen_notes(settings: Settings) -> Iterator[str]:
    listen = settings.listen
    if listen is None:
        yield "listen is null, so that the cluster cannot tell a controller that hangs; write listen: 127.0.0.1:9797"
    elif not is_open(listen):
        open_too = f"0.0.0.0:{listen.address.port} and listen_token: ${{TOKEN}}"
        yield f"Prometheus does not reach listen: {listen.address} in a pod; for its metrics write {open_too}"
    for file in (listen.certificate, listen.key) if listen else ():
        if file:
            yield f"listen {_absent(file)}"


def _find_plugin_notes(plugin: object, settings: Settings) -> Iterator[str]:
    for file in _files(plugin):
        yield _absent(_in_pod(file, settings))
    if isinstance(plugin, _COMMANDS):
        yield "runs commands, and the image has no programs but Python and the autoscaler; add them to an image of your own: --image NAME"
    host = urlsplit(str(getattr(plugin, "url", ""))).hostname
    if host and is_loopback(Address(host, 0)):
        yield f"asks {host}, which in a pod is the pod itself; write the name of a Service, such as prometheus.monitoring.svc"


def _files(plugin: object) -> Iterator[Path]:
    if isinstance(plugin, SqlSource):
        yield plugin.path
    for option in options_of(type(plugin)):
        value = getattr(plugin, option.field) if mentions(option.hint, FilePath) else None
        if isinstance(value, str | Path):
            yield Path(value)


def _in_pod(file: Path, settings: Settings) -> Path:
    """Return where a file is looked for in the pod: a relative name counts from the configuration's folder, which is another there."""
    folder = settings.path.parent.absolute() if settings.path else None
    is_relative = folder is not None and str(file) not in set(_texts(settings.document)) and file.is_relative_to(folder)
    return _FOLDER / file.relative_to(folder) if is_relative and folder else file


def _absent(file: Path) -> str:
    return f"reads {file}, which is not in the pod; add a volume that holds it to deployment.yaml"
