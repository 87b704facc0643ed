"""Read the JSON of an answer into values, or say what is wrong with it."""

from __future__ import annotations

from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from autoscaler.http_client import Answer, HttpError

T = TypeVar("T")


def parsed(answer: Answer, adapter: TypeAdapter[T], what: str) -> T:
    """Return the answer's body as ``adapter`` reads it; raise ``HttpError`` naming ``what`` was expected and where it is something else."""
    try:
        return adapter.validate_json(answer.body, strict=True)
    except ValidationError as error:
        answer.json()
        problem = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(part) for part in problem["loc"])
        raise HttpError(f"{answer.host} answered with what is not {what}: {f'{where}: ' if where else ''}{problem['msg']}") from error
