"""The shapes of the Platform API, as far as they are used."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from autoscaler.act.remote.api import said_by
from autoscaler.http_client import Answer

HEADERS = {"Accept": "application/vnd.heroku+json; version=3"}


class Entry(BaseModel):
    """One process type of the formation: how many dynos should run."""

    type: str
    quantity: Annotated[int, Field(ge=0)]


class Dyno(BaseModel):
    """One dyno."""

    name: str
    type: str
    state: str


class Problem(BaseModel):
    """Why a call was refused."""

    id: str = ""
    message: str = ""


ENTRY = TypeAdapter(Entry)
ENTRIES = TypeAdapter(list[Entry])
DYNOS = TypeAdapter(list[Dyno])


def problem_of(answer: Answer) -> Problem:
    """Return what Heroku says of a refusal; an empty one where it is not Heroku that speaks."""
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return Problem()


def quote_of(answer: Answer) -> str:
    """Say what was answered, in Heroku's own words where it has some."""
    return said_by(answer, problem_of(answer).message)
