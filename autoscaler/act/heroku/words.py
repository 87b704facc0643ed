"""Say what an answer of Heroku means, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus

from autoscaler.act.heroku.wire import problem_of, quote_of
from autoscaler.act.remote.engine import Verdict
from autoscaler.http_client import Answer

_WAITS = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})
_FIRST_SERVER_ERROR = 500
_BY_STATUS: dict[int, str] = {HTTPStatus.UNAUTHORIZED: "unauthorized", HTTPStatus.PAYMENT_REQUIRED: "delinquent", HTTPStatus.FORBIDDEN: "forbidden"}
_ADVICE = {
    "unauthorized": "the token is not valid: make one with `heroku authorizations:create --scope write`, and set HEROKU_API_KEY to it",
    "delinquent": "the account of app {app} has to be paid, or its payment method confirmed, in the Heroku dashboard",
    "suspended": "app {app} or its account is suspended: ask Heroku",
    "forbidden": "the token may not use app {app}: it needs the scope write, and its user the rights to operate the app",
    "not_found": "app {app} has no such thing: check app and names",
    "verification_needed": "enter billing information in the Heroku dashboard",
}


def trouble(answer: Answer, app: str) -> str:
    """Say why a call was refused, and what mends it."""
    said, identifier = quote_of(answer), problem_of(answer).id
    if answer.location:
        return f"{said}, a redirect to {answer.location}; redirects are not followed, so write that address as url"
    advice = _ADVICE.get(identifier) or _ADVICE.get(_BY_STATUS.get(answer.status, ""))
    if answer.status == HTTPStatus.NOT_FOUND and not identifier:
        advice = "is it the Platform API? Remove url to ask api.heroku.com"
    return f"{said}; {advice.format(app=app)}" if advice else said


def judge(answer: Answer, app: str) -> Verdict:
    """Say what became of a change that was not accepted."""
    if answer.status in _WAITS:
        return Verdict("waits", trouble(answer, app))
    if answer.status >= _FIRST_SERVER_ERROR:
        return Verdict("unclear", trouble(answer, app))
    return Verdict("refused", trouble(answer, app))


def concerns_one_type(answer: Answer) -> bool:
    """Tell whether a batch was refused for one process type in it, so that the others may pass alone."""
    if answer.status == HTTPStatus.NOT_FOUND:
        return "process type" in problem_of(answer).message
    return answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and problem_of(answer).id != "verification_needed"
