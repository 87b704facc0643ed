"""Write the record of a running controller, whatever becomes of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from threading import Lock

from autoscaler.events import Notice, Tick
from autoscaler.model import Json
from autoscaler.record.line import RecordError, decision_line, notice_line, start_line, to_json
from autoscaler.record.output import Output

STANDARD_OUTPUT = "-"


class RecordWriter:
    """A listener that writes one line for each decision and each notice.

    A record that cannot be written never stops the controller: the lines of that tick are lost, ``trouble`` says why, and the next
    tick tries again.

    A ``Notice("start")`` becomes the start line; its details are ``configuration`` (``Settings.document``) and ``state``. A
    ``Notice("state")`` with the same details is told between two ticks after ``reopen``: a file that is new then begins with it.
    """

    def __init__(self, target: str, tell: Callable[[RecordError], None] | None = None) -> None:
        """Open ``target``, a path or ``-`` for standard output; ``tell`` is called once for each new trouble.

        Raises ``RecordError`` when the file cannot be opened.
        """
        self._target = target
        self._tell = tell
        self._output = self._open()
        self._start: Notice | None = None
        self._owes_start = False
        self._must_reopen = False
        self._trouble: str | None = None
        self._busy = Lock()

    @property
    def trouble(self) -> str | None:
        """Why the newest lines were not written; ``None`` when they were."""
        return self._trouble

    def reopen(self) -> None:
        """Open the file anew before the next line, as log rotation asks for; safe in a signal handler."""
        self._must_reopen = True

    def close(self) -> None:
        """Let go of the file."""
        with self._busy:
            self._output.close()

    def ticked(self, tick: Tick) -> None:
        """Write one line for each decision of a tick."""
        with self._busy:
            self._append(decision_line(decision) for decision in tick.decisions)

    def noticed(self, notice: Notice) -> None:
        """Write the line of a notice."""
        with self._busy:
            self._remember(notice)
            self._append(() if notice.event in {"start", "state"} else (notice_line(notice),))

    def _remember(self, notice: Notice) -> None:
        if notice.event in {"start", "state"}:
            self._start = replace(notice, event="start")
            self._owes_start = self._owes_start or notice.event == "start"

    def _append(self, lines: Iterable[Mapping[str, Json]]) -> None:
        troubles = self._reopen_if_asked()
        texts, refused = _write_all(lines)
        try:
            self._append_start()
            self._output.append(texts)
        except OSError as error:
            troubles.append(self._sentence(error))
        except RecordError as error:
            troubles.append(str(error))
        self._say([*troubles, *refused])

    def _append_start(self) -> None:
        if self._start and self._owes_start:
            self._output.append(_encoded(to_json(start_line(self._start))))
            self._owes_start = False

    def _reopen_if_asked(self) -> list[str]:
        if not self._must_reopen or self._target == STANDARD_OUTPUT:
            return []
        try:
            output = self._open()
        except RecordError as error:
            return [str(error)]
        self._must_reopen = False
        self._output.close()
        self._output = output
        self._owes_start = self._owes_start or output.is_fresh
        return []

    def _open(self) -> Output:
        try:
            return Output(None if self._target == STANDARD_OUTPUT else self._target)
        except OSError as error:
            raise RecordError(self._sentence(error)) from error

    def _sentence(self, error: OSError) -> str:
        name = "standard output" if self._target == STANDARD_OUTPUT else self._target
        return f"the record cannot be written to {name}: {error.strerror}; ticks are not recorded until it can"

    def _say(self, troubles: list[str]) -> None:
        trouble = "; ".join(troubles) or None
        is_new = trouble is not None and trouble != self._trouble
        self._trouble = trouble
        if is_new and self._tell:
            self._tell(RecordError(trouble))


def _write_all(lines: Iterable[Mapping[str, Json]]) -> tuple[bytes, list[str]]:
    texts: list[bytes] = []
    refused: list[str] = []
    for line in lines:
        try:
            texts.append(_encoded(to_json(line)))
        except RecordError as error:
            refused.append(str(error))
    return b"".join(texts), refused


def _encoded(text: str) -> bytes:
    # What is no UTF-8 (a name in the bytes of an old file system) becomes its JSON escape, and is read back as it was.
    return text.encode(errors="backslashreplace") + b"\n"
