"""Read numbers and states of processes out of the documents that an API answers with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from autoscaler.act.http.keys import Processes, Read
from autoscaler.act.http.template import count_at
from autoscaler.act.remote.engine import Sighting
from autoscaler.http_client import Answer, HttpError
from autoscaler.json_pointer import PointerError, described, find
from autoscaler.model import Counts, Json, Process, ProcessState
from autoscaler.wording import shown

_LISTED = 8  # names of items that a sentence repeats


class ReadingError(HttpError):
    """An answer does not say what it should; the text says what was found instead."""


@dataclass(frozen=True, slots=True)
class Page:
    """What was answered to one question."""

    host: str
    headers: Mapping[str, str]  # by name in lower case
    document: Json


def page_of(answer: Answer) -> Page:
    """Return the page that an answer holds; raise ``HttpError`` when it is no JSON."""
    return Page(answer.host, answer.headers, answer.json())


def read_counts(read: Read, page: Page, there: str) -> Sighting:
    """Return what a page tells of the type called ``there``; raise ``ReadingError`` when it does not."""
    try:
        document = _item_of(read, page, there) if read.items is not None else page.document
        told = {key: _count(read, key, document, there) for key in ("desired", "running", "starting", "draining", "failed")}
        version = _version(read, page, document)
    except (PointerError, ValueError) as error:
        raise ReadingError(f"{page.host} does not tell of {there}: {error}") from error
    desired = told["desired"] or 0
    if told["running"] is None:
        unready = f"{page.host} was not asked which processes of {there} are ready; give read.running, or processes"
        return Sighting(counts=Counts(desired=desired, running=desired), version=version, unready=unready)
    draining, failed = told["draining"], told["failed"] or 0
    running = told["running"] if draining is not None else min(told["running"], desired)
    draining = told["running"] - running if draining is None else draining
    starting = max(0, desired - running - failed) if told["starting"] is None else told["starting"]
    return Sighting(counts=Counts(desired, running, starting, draining, failed), version=version)


def add_processes(seen: Sighting, listed: tuple[Process, ...]) -> Sighting:
    """Return what was seen with the processes that were listed apart from it.

    Those that run beyond the desired count drain, the highest numbers first; those that are not listed yet start.
    """
    desired = seen.counts.desired
    states = Counter(process.state for process in listed)
    spare = max(0, states["running"] - desired)
    processes = _drain(listed, spare)
    missing = max(0, desired - states["running"] - states["starting"] - states["failed"] - states["unknown"])
    counts = Counts(
        desired=desired,
        running=states["running"] - spare,
        starting=states["starting"] + missing,
        draining=states["draining"] + spare,
        failed=states["failed"],
        unknown=states["unknown"],
    )
    return replace(seen, counts=counts, processes=processes, unready=None)


def read_processes(processes: Processes, page: Page, name: str, there: str) -> tuple[tuple[Process, ...], tuple[str, ...]]:
    """Return the processes of the type ``name``, called ``there``, and a note for each state that has no meaning yet."""
    found: list[tuple[int, ProcessState]] = []
    strange: Counter[str] = Counter()
    try:
        for number, item in _items_of_type(processes, page, there):
            word = _text_at(item, processes.state)
            state = processes.states.get(word)
            if state is None:
                strange[word] += 1
            if state != "gone":
                found.append((number, state or "unknown"))
    except (PointerError, ValueError) as error:
        raise ReadingError(f"{page.host} does not tell of the processes of {there}: {error}") from error
    listed = tuple(Process(f"{name}.{number}", state) for number, state in sorted(found))
    return listed, tuple(f"{count} of its processes: {shown(word)} is not under processes.states; add it" for word, count in strange.items())


def _drain(listed: tuple[Process, ...], spare: int) -> tuple[Process, ...]:
    left, changed = spare, list(listed)
    for position in reversed(range(len(changed))):
        if left and changed[position].state == "running":
            changed[position] = replace(changed[position], state="draining")
            left -= 1
    return tuple(changed)


def _items_of_type(processes: Processes, page: Page, there: str) -> Iterator[tuple[int, Json]]:
    for position, item in enumerate(_list_at(page.document, processes.items), start=1):
        if processes.type is None or find(item, processes.type) == there:
            yield count_at(find(item, processes.number), processes.number) if processes.number else position, item


def _item_of(read: Read, page: Page, there: str) -> Json:
    items = _list_at(page.document, read.items or "")
    names = [find(item, read.name) for item in items]
    if there not in names:
        listed = ", ".join(shown(str(name)) for name in names[:_LISTED]) or "nothing"
        raise ValueError(f"it lists {listed}; correct names")
    return items[names.index(there)]


def _list_at(document: Json, pointer: str) -> list[Json]:
    found = find(document, pointer)
    if not isinstance(found, list):
        raise ValueError(f"found {described(found)} at {pointer or 'the top'}, not a list")  # noqa: TRY004 - not a mistake of the program
    return found


def _text_at(item: Json, pointer: str) -> str:
    found = find(item, pointer)
    if not isinstance(found, str):
        raise ValueError(f"found {described(found)} at {pointer or 'the top'}, not a state")  # noqa: TRY004 - as above
    return found


def _count(read: Read, key: str, document: Json, there: str) -> int | None:
    template: str | None = getattr(read, key)
    if template is None:
        return None
    pointer = template.replace("{type}", there.replace("~", "~0").replace("/", "~1"))
    return count_at(find(document, pointer), pointer or "the top")


def _version(read: Read, page: Page, document: Json) -> str | int | None:
    if read.version is None:
        return None
    if not read.version.startswith("/"):
        if not page.headers.get(read.version.lower()):
            raise ValueError(f"it was sent without the header {read.version}, its version")
        return page.headers[read.version.lower()]
    found = find(document, read.version)
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise ValueError(f"found {described(found)} at {read.version}, not a version")  # noqa: TRY004 - as above
    return found
