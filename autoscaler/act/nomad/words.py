"""Say what an answer of Nomad means, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from autoscaler.act.remote.api import said_by
from autoscaler.act.remote.engine import Order, Verdict
from autoscaler.http_client import Answer

_FIRST_SERVER_ERROR = 500
_DEPLOYS = "active deployment"
_BOUND = re.compile(r"scaling policy (minimum|maximum): [0-9]+ [<>] ([0-9]+)")
_CONFLICT = re.compile(r"conflicting job modify index: ([0-9]+)")
_BY_TEXT = (
    ("ACL token not found", "Nomad does not know the token; set NOMAD_TOKEN, token or token_file to the secret id of a valid one"),
    ("ACL token expired", "make a new one, and set NOMAD_TOKEN, token or token_file to its secret id"),
    ("disabled by the scheduler", "an operator has closed the cluster for changes: `nomad operator scheduler get-config` shows it"),
    ("job_max_count", "lower formation.{name}.maximum, or raise job_max_count of the servers"),
    ("does not exist in job", "check group and names"),
    ('type "system"', "such a job runs one of each on every node; only service and batch jobs can be scaled"),
    ("No path to region", "check region"),
    ("HTTP request to an HTTPS server", "write https:// in url"),
)


@dataclass(frozen=True, slots=True)
class Where:
    """A job, and the namespace it is in."""

    job: str
    namespace: str = ""

    def __str__(self) -> str:
        """Write ``job shop in namespace web``."""
        return f"job {self.job}{f' in namespace {self.namespace}' if self.namespace else ''}"


def trouble(answer: Answer, where: Where, right: str, name: str = "") -> str:
    """Say why a call was refused, and what mends it; ``right`` is the capability it takes, ``name`` the process type it is for."""
    text = answer.text()
    said = said_by(answer, None if answer.page() else text)
    if answer.location:
        return f"{said}, a redirect to {answer.location}; redirects are not followed, so write that address as url"
    advice = next((mends.format(name=name) for part, mends in _BY_TEXT if part in text), None)
    if advice is None and answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        advice = f"the token needs the capability {right} for {where}, or namespace policy = scale"
    elif advice is None and answer.status == HTTPStatus.NOT_FOUND:
        advice = f"there is no {where}" if "not found" in text else "is it the address of a Nomad agent? Check url"
    return f"{said}; {advice}" if advice else said


def conflict_of(answer: Answer) -> int | None:
    """Return the index that the job's specification has, when a change was refused because it is another one than was sent."""
    found = _CONFLICT.search(answer.text()) if answer.status == HTTPStatus.INTERNAL_SERVER_ERROR else None
    return int(found[1]) if found else None


def judge(answer: Answer, where: Where, order: Order) -> Verdict:
    """Say what became of a change that was not accepted."""
    text = answer.text()
    said = trouble(answer, where, "scale-job", order.name)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Verdict("waits", said)
    if answer.status == HTTPStatus.BAD_REQUEST and _DEPLOYS in text:
        return Verdict("waits", f"{where} has an active deployment, which Nomad lets finish first")
    bound = _BOUND.search(text)
    if bound and answer.status == HTTPStatus.BAD_REQUEST:
        side, limit = ("least", "min") if bound[1] == "minimum" else ("most", "max")
        mends = f"change {limit} there, or formation.{order.name}.{bound[1]}"
        return Verdict("refused", f"the scaling block of {where} allows at {side} {bound[2]}, and {order.change.target} were asked for; {mends}")
    # A server's failure comes before the change or after it; only where its words say so it is known that nothing was done.
    is_open = answer.status >= _FIRST_SERVER_ERROR and "job_max_count" not in text
    return Verdict("unclear" if is_open else "refused", said)
