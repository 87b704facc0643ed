"""Tell from a pod what its process does, and why it does not run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from autoscaler.act.kubernetes.shapes import Container, Pod
from autoscaler.model import Address, Process, ProcessState

_STUCK = {
    "CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName",
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
}  # fmt: skip
_MANY_RESTARTS = 3  # one that ended so often before it was ready will not get ready now
_PORT_ANNOTATION = "prometheus.io/port"
_HIGHEST_PORT = 65535
_LONGEST_STARTUP_SECONDS = 3600.0  # beyond it, readiness was lost and came back
_NODE_LOST = "NodeLost"
_LONGEST_WORDS = 200


def state_of(pod: Pod) -> ProcessState:
    """Say what a pod does: what is on its way out drains, wherever it is."""
    ready = _condition(pod, "Ready")
    if pod.status.reason == _NODE_LOST or pod.status.phase == "Unknown" or (ready and ready[0] == "Unknown"):
        return "unknown"
    if pod.metadata.deletionTimestamp is not None:
        return "draining"
    if ready and ready[0] == "True":
        return "running"
    if _has_silent_host(pod):
        return "unknown"
    return "failed" if cause_of(pod) else "starting"


def is_over(pod: Pod) -> bool:
    """Tell whether a pod has ended for good: evicted or completed, and replaced by its workload where one is wanted."""
    return pod.status.phase in {"Succeeded", "Failed"} and pod.status.reason != _NODE_LOST


def process_of(pod: Pod) -> Process:
    """Return the process of a pod; its metrics have an address where the pod says a port for Prometheus."""
    return Process(pod.metadata.name, state_of(pod), metrics=_metrics(pod), host=pod.spec.nodeName or None)


def startup_of(pod: Pod) -> float | None:
    """Return the seconds from its creation until it was ready, unless it has been restarted since."""
    ready = _condition(pod, "Ready")
    created = pod.metadata.creationTimestamp
    if not ready or ready[0] != "True" or any(each.restartCount for each in _containers(pod)) or created is None:
        return None
    since = next((each.lastTransitionTime for each in pod.status.conditions or () if each.type == "Ready"), None)
    seconds = (since - created).total_seconds() if since else -1.0
    return seconds if 0.0 <= seconds <= _LONGEST_STARTUP_SECONDS else None


def cause_of(pod: Pod) -> str | None:
    """Say why a pod cannot get ready: its image is not there, or its command keeps ending."""
    for each in _containers(pod):
        waiting, last = each.state.waiting, each.lastState.terminated
        if waiting and waiting.reason in _STUCK:
            return f"{waiting.reason}{_ended(each)}" if last else _with_message(waiting.reason, waiting.message)
        if last and each.restartCount >= _MANY_RESTARTS:
            return f"keeps restarting{_ended(each)}"
    return None


def notes_on(name: str, pods: Sequence[Pod]) -> Iterator[str]:
    """Yield what keeps processes of a type from running, each cause once."""
    causes = Counter(cause for pod in pods if state_of(pod) == "failed" and (cause := cause_of(pod)))
    for cause, count in causes.most_common(3):
        yield f"{name}: {_said(count, 'fails', 'fail')}: {cause}"
    waits = Counter(why for pod in pods if state_of(pod) == "starting" and (why := _unscheduled(pod)))
    for why, count in waits.most_common(1):
        yield f"{name}: {_said(count, 'has', 'have')} no host to run on: {why}"
    lost = Counter(pod.spec.nodeName for pod in pods if state_of(pod) == "unknown")
    for host, count in lost.most_common(3):
        yield f"{name}: {_said(count, 'is', 'are')} on {host or 'a host'}, which does not answer"


def _condition(pod: Pod, kind: str) -> tuple[str, str, str] | None:
    return next(((each.status, each.reason, each.message) for each in pod.status.conditions or () if each.type == kind), None)


def _has_silent_host(pod: Pod) -> bool:
    """Tell whether the node controller has marked a pod as not ready, whose own node said last that its containers are."""
    containers = _condition(pod, "ContainersReady")
    return bool(_condition(pod, "Ready") and containers and containers[0] == "True" and not pod.spec.readinessGates)


def _unscheduled(pod: Pod) -> str | None:
    scheduled = _condition(pod, "PodScheduled")
    return _shortened(scheduled[2]) or "Unschedulable" if scheduled and scheduled[0] == "False" and scheduled[1] == "Unschedulable" else None


def _containers(pod: Pod) -> tuple[Container, ...]:
    return (*(pod.status.initContainerStatuses or ()), *(pod.status.containerStatuses or ()))


def _ended(container: Container) -> str:
    last = container.lastState.terminated
    return f", last ended with {last.exitCode}{f' ({last.reason})' if last.reason not in {'', 'Error'} else ''}" if last else ""


def _with_message(reason: str, message: str) -> str:
    return f"{reason}: {_shortened(message)}" if message else reason


def _shortened(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= _LONGEST_WORDS else f"{line[:_LONGEST_WORDS]}..."


def _metrics(pod: Pod) -> Address | None:
    port = (pod.metadata.annotations or {}).get(_PORT_ANNOTATION, "")
    if not pod.status.podIP or not port.isdecimal() or not 1 <= int(port) <= _HIGHEST_PORT:
        return None
    return Address(pod.status.podIP, int(port))


def _said(count: int, singular: str, plural: str) -> str:
    return f"1 process {singular}" if count == 1 else f"{count} processes {plural}"
