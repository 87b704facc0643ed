"""Set the count of one workload by its scale, where nobody else has set it since it was read."""

from __future__ import annotations

from http import HTTPStatus

from autoscaler.act.kubernetes.client import Client, RefusedError
from autoscaler.act.kubernetes.reading import Reader, Reading
from autoscaler.act.kubernetes.shapes import Scale
from autoscaler.act.kubernetes.workload import Workload
from autoscaler.act.remote.engine import DONE, Order, Verdict
from autoscaler.http_client import HttpError, UnclearError
from autoscaler.model import Json

_TELLING = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNAUTHORIZED}


def set_count(client: Client, reader: Reader, workload: Workload, order: Order) -> Verdict:
    """Set the count, at most twice: the version that was read changes with every step of a rollout, and not only with the count."""
    try:
        try:
            return _patch(client, workload, order.change.target, str(order.seen.version))
        except RefusedError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
        now = reader.read(workload)
        if now.counts.desired != order.seen.counts.desired:
            return Verdict("refused", _overtaken(order.seen.counts.desired, now.counts.desired))
        return _patch(client, workload, order.change.target, now.version)
    except RefusedError as error:
        return (
            Verdict("waits", f"{workload} changes all the time")
            if error.status == HTTPStatus.CONFLICT
            else Verdict("refused", _words(error, workload))
        )
    except UnclearError as error:
        return Verdict("unclear", str(error))
    except HttpError as error:
        return Verdict("refused", str(error))


def prove(client: Client, reading: Reading) -> str | None:
    """Try to set the count that is set, in a dry run of the server's own; return why that is not allowed."""
    try:
        client.patch(Scale, f"{reading.workload.path}/scale", {"spec": {"replicas": reading.counts.desired}}, is_trial=True)
    except RefusedError as error:
        return _words(error, reading.workload) if error.status in _TELLING else None
    except HttpError:
        return None
    return None


def _patch(client: Client, workload: Workload, count: int, version: str) -> Verdict:
    body: Json = {"metadata": {"resourceVersion": version}, "spec": {"replicas": count}}
    found = client.patch(Scale, f"{workload.path}/scale", body)
    if found.spec.replicas != count:
        return Verdict("refused", f"{workload} was set to {found.spec.replicas} in place of {count}, by a rule of the cluster (an admission webhook)")
    return DONE


def _words(error: RefusedError, workload: Workload) -> str:
    if error.refusal.lacks_right:
        return (
            f"no right to patch {workload.resource}/scale in namespace {workload.namespace}: {error}; add it to the role of the autoscaler's account"
        )
    if error.status == HTTPStatus.NOT_FOUND:
        return f"{workload} is not there any more, or has no scale: {error}"
    return str(error)


def _overtaken(seen: int, now: int) -> str:
    return f"somebody else set it from {seen} to {now} meanwhile; decided again at the next tick"
