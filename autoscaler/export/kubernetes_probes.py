"""Choose how a cluster asks the controller whether it is well, from where the configuration has it listen."""

from __future__ import annotations

from collections.abc import Iterator

from autoscaler.config.addresses import is_loopback
from autoscaler.export.kubernetes_yaml import Noted
from autoscaler.settings import Listen

PORT_NAME = "http"
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on
_LOWEST_PORT = 1024  # below, some clusters let root alone listen
_TIMEOUT_SECONDS = 5
_ASK = """\
import http.client, sys
connection = http.client.HTTPConnection("{host}", {port}, timeout={timeout})
connection.request("GET", "{path}")
answer = connection.getresponse()
sys.exit(None if answer.status == 200 else answer.read().decode())
"""
_STARTUP = "A controller that does not answer a minute after its start is started anew."
_LIVENESS = "The loop that decides shows a sign of life; one that hangs is started anew."
_READINESS = "Ready: every process type was observed, and every metric asked."
_WITHIN = "From within the container, for nobody outside reaches its loopback address."


def is_open(listen: Listen | None) -> bool:
    """Tell whether others than the pod itself reach the controller."""
    return listen is not None and not is_loopback(listen.address)


def find_listen_mistakes(listen: Listen | None) -> Iterator[str]:
    """Yield a sentence on every way of listening that cannot be asked in a pod, with the fix."""
    if listen is None:
        return
    host, port = listen.address.host, listen.address.port
    if is_open(listen) and host not in _EVERYWHERE:
        yield f"listen: {listen.address} is no address of a pod, which gets a new one each time; write 0.0.0.0:{port}"
    if port < _LOWEST_PORT:
        yield f"listen: port {port} may not be opened by every user of every cluster, or is a new one each time; write one above 1023, such as 9797"
    if listen.certificate and not is_open(listen):
        yield f"listen: TLS on {listen.address} has nobody to serve: only the pod itself gets there; write 0.0.0.0:{port}, or no TLS"


def write_probes(listen: Listen | None) -> dict[str, object]:
    """Write the three probes of the container; none where the configuration has nothing listen."""
    if listen is None:
        return {}
    return {
        "startupProbe": Noted(_STARTUP, {**_ask(listen, "/-/healthy"), "periodSeconds": 1, "failureThreshold": 60}),
        "livenessProbe": Noted(_LIVENESS, {**_ask(listen, "/-/healthy"), "periodSeconds": 10, "failureThreshold": 3}),
        "readinessProbe": Noted(_READINESS, {**_ask(listen, "/-/ready"), "periodSeconds": 5, "failureThreshold": 1}),
    }


def _ask(listen: Listen, path: str) -> dict[str, object]:
    """Ask over the network where that works: these two pages need no token, and a kubelet takes every certificate."""
    if is_open(listen):
        scheme = "HTTPS" if listen.certificate else "HTTP"
        return {"httpGet": {"path": path, "port": PORT_NAME, "scheme": scheme}, "timeoutSeconds": _TIMEOUT_SECONDS}
    script = _ASK.format(host=listen.address.host, port=listen.address.port, timeout=_TIMEOUT_SECONDS - 1, path=path)
    return {"exec": Noted(_WITHIN, {"command": ["python3", "-I", "-c", script]}), "timeoutSeconds": _TIMEOUT_SECONDS}
