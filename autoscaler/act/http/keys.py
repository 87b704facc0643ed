"""Describe an HTTP API: where it tells counts, how it names states, what it wants to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from autoscaler.act.http.template import json_of, places_in, require_path, require_places
from autoscaler.json_pointer import require_pointer
from autoscaler.model import Duration, Help, Secret

_READ_PLACES = ("type",)
_WRITE_PLACES = ("type", "count", "previous", "reason", "version")
_EACH = "each"

StateThere = Literal["running", "starting", "draining", "failed", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Where the API tells how many processes a type has."""

    path: Annotated[str, Help("what is asked by GET; with {type} once a type, else once for all")]
    items: Annotated[str | None, Help("JSON pointer to a list of which each type has an item; the other pointers begin at the item")] = None
    name: Annotated[str, Help("JSON pointer to the type's name within an item")] = "/name"
    desired: Annotated[str, Help("JSON pointer to the number of processes that should run")]
    running: Annotated[str | None, Help("JSON pointer to the number of processes that are ready")] = None
    starting: Annotated[str | None, Help("JSON pointer to the number of processes that are not ready yet; default those missing to desired")] = None
    draining: Annotated[str | None, Help("JSON pointer to the number of processes that end; default those that run beyond desired")] = None
    failed: Annotated[str | None, Help("JSON pointer to the number of processes that failed")] = None
    version: Annotated[str | None, Help("JSON pointer to the version of what was read, or a header's name, such as ETag")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for what names no place in an answer."""
        require_path(self.path, "read.path")
        require_places(self.path, "read.path", _READ_PLACES)
        for key in ("items", "name", "desired", "running", "starting", "draining", "failed"):
            require_pointer(getattr(self, key) or "", f"read.{key}")
        if self.version and self.version.startswith("/"):
            require_pointer(self.version, "read.version")
        require_places([getattr(self, key) for key in ("desired", "running", "starting", "draining", "failed")], "read", _READ_PLACES)

    @property
    def tells_types_apart(self) -> bool:
        """Tell whether the types do not all have the same numbers."""
        return self.items is not None or "type" in places_in((self.path, self.desired))


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Where the API lists single processes with their states."""

    path: Annotated[str, Help("what is asked by GET; with {type} once a type, else once for all")]
    items: Annotated[str, Help("JSON pointer to the list; empty when the answer is the list")] = ""
    type: Annotated[str | None, Help("JSON pointer to the type's name within an item; not needed where path has {type}")] = None
    state: Annotated[str, Help("JSON pointer to the state within an item")] = "/state"
    number: Annotated[str | None, Help("JSON pointer to the process's number within an item; default its place in the list")] = None
    states: Annotated[Mapping[str, StateThere], Help("what each state there means: running, starting, draining, failed or gone")]

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for what names no processes."""
        require_path(self.path, "processes.path")
        require_places(self.path, "processes.path", _READ_PLACES)
        for key in ("items", "type", "state", "number"):
            require_pointer(getattr(self, key) or "", f"processes.{key}")
        if "running" not in self.states.values():
            raise ValueError("processes.states names no state that is running; add it")
        if (self.type is None) == ("type" not in places_in(self.path)):
            raise ValueError("processes needs {type} in its path, or type, the pointer to a type's name within an item: one of the two")


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What the API is sent to change a number of processes."""

    method: Annotated[Literal["PATCH", "PUT", "POST"], Help("of the request")] = "PATCH"
    path: Annotated[str, Help("what is asked; {type}, {count}, {previous} and {version} may stand in it")]
    headers: Annotated[Mapping[str, str], Help('of this request alone, such as If-Match: "{version}"')] = field(default_factory=dict, repr=False)
    body: Annotated[object, Help('JSON to send; "{type}", "{count}", "{previous}", "{reason}" and "{version}" are filled in')] = None
    each: Annotated[object, Help('what "{each}" in body lists of every type that changes: then one request changes all')] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a request that cannot tell a type or a number."""
        require_path(self.path, "write.path")
        json_of(self.body, "write.body")
        json_of(self.each, "write.each")
        places = _WRITE_PLACES if self.each is None else (_EACH,)
        for key in ("path", "headers", "body"):
            require_places(getattr(self, key), f"write.{key}", places)
        require_places(self.each, "write.each", _WRITE_PLACES)
        if "count" not in self.places:
            raise ValueError('write says no number; put "{count}" into its body or path')
        if self.each is not None and _EACH not in places_in(self.body):
            raise ValueError('write.each is for the place "{each}" in write.body; add it')

    @property
    def places(self) -> set[str]:
        """Return the names of all places of the request."""
        return places_in((self.path, self.headers, self.body, self.each))


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Where a lasting secret is exchanged for a token that lives for a while."""

    url: Annotated[str, Help("asked by POST, with user and password")]
    user: Annotated[str, Help("user of basic authentication; default none")] = ""
    password: Annotated[str, Secret(), Help("the lasting secret")] = field(repr=False)
    token: Annotated[str, Help("JSON pointer to the token in the answer")] = "/token"  # noqa: S105 - where it is, not what
    every_seconds: Annotated[Duration, Help("how long a token is used; less than it lives")] = 1800.0

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a malformed pointer."""
        require_pointer(self.token, "exchange.token")
