"""Ask a Kubernetes API, and put what it refuses into words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus

from pydantic import ValidationError

from autoscaler.act.kubernetes.access import Access
from autoscaler.act.kubernetes.shapes import Failure, Read, Review, read
from autoscaler.act.remote.api import Api, Call, said_by
from autoscaler.http_client import Answer, HttpError, UnclearError
from autoscaler.model import Json

MANAGER = "formation-autoscaler"  # who a change is by, in the managed fields of an object
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
_FIRST_REFUSAL = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no success: its status, and the words of Kubernetes, empty where it was not Kubernetes that answered."""

    status: int
    said: str
    reason: str
    names_object: bool  # whether it tells of one object that is not there, and not of a path that nobody knows

    @property
    def is_forbidden(self) -> bool:
        """Tell whether Kubernetes itself forbids it."""
        return self.status == HTTPStatus.FORBIDDEN and bool(self.reason)

    @property
    def lacks_right(self) -> bool:
        """Tell whether it is forbidden for want of a right, and not by a rule of the cluster on what may be changed to what."""
        return self.is_forbidden and " cannot " in self.said


class RefusedError(HttpError):
    """Kubernetes has said no."""

    def __init__(self, sentence: str, refusal: Refusal) -> None:
        """Keep what it answered."""
        super().__init__(sentence)
        self.refusal = refusal

    @property
    def status(self) -> int:
        """Return the status of HTTP."""
        return self.refusal.status


class Client:
    """One namespace of a cluster, as one connection sees it; safe from any thread."""

    def __init__(self, access: Access) -> None:
        """Reach it by ``access``."""
        self._access = access
        self._api = Api(access.server, dict)
        self.namespace = access.namespace

    @property
    def host(self) -> str:
        """Name the server in sentences."""
        return self._api.host

    @property
    def calls(self) -> int:
        """Return how many calls were sent so far."""
        return self._api.calls

    def get(self, shape: type[Read], path: str, query: dict[str, str] | None = None) -> Read:
        """Read an object; raise ``RefusedError``, or ``HttpError`` when there is no answer that can be read.

        Where the token is not accepted, and there is a new one, it asks again.
        """
        call = Call(method="GET", path=path, query=query or {})
        answer, is_renewed = self._ask(call)
        return read(self._accepted(self._ask(call)[0] if is_renewed else answer), shape)

    def patch(self, shape: type[Read], path: str, body: Json, *, is_trial: bool = False) -> Read:
        """Change an object, or only try whether that would be accepted; a patch is sent once, whatever comes back.

        Raises as ``get`` does, and ``UnclearError`` when it may have been done.
        """
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"} | ({"dryRun": "All"} if is_trial else {})
        answer, _ = self._ask(Call(method="PATCH", path=path, query=query, body=body, headers=_MERGE_PATCH))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnclearError(self._words(answer, _refusal_in(answer)))
        accepted = self._accepted(answer)
        try:
            return read(accepted, shape)
        except HttpError as error:
            raise UnclearError(str(error)) from error

    def may(self, verb: str, resource: str) -> bool:
        """Ask Kubernetes whether the verb is allowed on a resource of its core in the namespace; raise as ``get`` does."""
        attributes: dict[str, Json] = {"namespace": self.namespace, "verb": verb, "resource": resource}
        body: Json = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
        query = {"fieldManager": MANAGER}
        answer, _ = self._ask(Call(method="POST", path="/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", query=query, body=body))
        return read(self._accepted(answer), Review).status.allowed

    def close(self) -> None:
        """Let go of connections, and of files that were written for them."""
        self._api.close()
        self._access.files.drop()

    def _ask(self, call: Call) -> tuple[Answer, bool]:
        """Send a call with the token of now; return its answer, and whether that token was refused and there is another one."""
        token = self._access.tokens.token()
        proof = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._api.ask(replace(call, headers={**call.headers, **proof}))
        return answer, answer.status == HTTPStatus.UNAUTHORIZED and self._access.tokens.renew(token)

    def _accepted(self, answer: Answer) -> Answer:
        if answer.status < _FIRST_REFUSAL:
            return answer
        refusal = _refusal_in(answer)
        raise RefusedError(self._words(answer, refusal), refusal)

    def _words(self, answer: Answer, refusal: Refusal) -> str:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return f"{said_by(answer)}: the credentials {self._access.tokens.origin} are wrong or have ended; give others"
        if refusal.reason or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return said_by(answer, refusal.said)
        where = f", a redirect to {answer.location}" if answer.location else f" with {answer.page() or 'something else'}"
        return f"{answer.said()}{where}, not as Kubernetes does; give the address of a Kubernetes API server"


def _refusal_in(answer: Answer) -> Refusal:
    try:
        failure = Failure.model_validate_json(answer.body)
    except ValidationError:
        failure = Failure()
    return Refusal(answer.status, failure.message, failure.reason, bool((failure.details or {}).get("name")))
