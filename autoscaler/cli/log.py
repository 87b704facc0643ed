"""Tell the operator what changed, what was refused and what is at fault, each once."""

from __future__ import annotations

import logging
import re
from collections.abc import Hashable, Mapping

from autoscaler.cli.log_format import Level, Logger
from autoscaler.decide.settings import Pause
from autoscaler.events import BoardEntry, Notice, Tick
from autoscaler.model import Decision, Json, Missing, PolicyAnswer, TypeFormation

_DIGITS = re.compile(r"\d+(\.\d+)?")
# Told by `run`, by the record alone, and seen on a tick.
_TOLD_ELSEWISE = frozenset({"start", "state", "pause", "resume", "crash_loop", "called", "room", "unready", "choice"})


class Log:
    """A listener that speaks only when something differs from what it said last; it never raises."""

    def __init__(self, logger: Logger) -> None:
        """Take the logger of ``log_format``."""
        self._logger = logger
        self._said: dict[Hashable, str] = {}
        self._asked: set[str] = set()  # metrics that have answered or failed: before, being missing is no news
        self._pauses: Mapping[str, Pause] = {}

    def tell(self, level: Level, event: str, text: str, **fields: Json) -> None:
        """Write one line: ``text`` for people, ``event`` and ``fields`` for programs."""
        getattr(self._logger, level)(event, text=text, **fields)

    def ticked(self, tick: Tick) -> None:
        """Tell what is new in one tick."""
        for happening in tick.happenings:
            self.tell("info", "backend", happening, message=happening)
        for metric, entry in tick.board.items():
            self._follow_metric(metric, entry)
        for name, formation in tick.formations.items():
            self._follow_formation(name, formation)
        self._follow_pauses(tick)
        for decision in tick.decisions:
            self._tell_decision(decision, tick)
        self._follow_errors(tick)
        self._follow_missed(tick.missed)

    def noticed(self, notice: Notice) -> None:
        """Tell a notice, unless a tick or the command tells it."""
        if notice.event == "reload":
            self._tell_reload(notice)
        elif notice.event not in _TOLD_ELSEWISE:
            details = " ".join(f"{key}={value}" for key, value in notice.details.items())
            self.tell("info", notice.event, f"{notice.event} {details}", **notice.details)

    def _tell_reload(self, notice: Notice) -> None:
        if notice.details.get("ok"):
            removed = notice.details.get("removed") or []
            text = f"; no longer in it, and ended: {', '.join(map(str, removed))}" if isinstance(removed, list) and removed else ""
            self.tell("info", "reload", f"reloaded the configuration{text}", ok=True, removed=removed)
            return
        for mistake in str(notice.details.get("error")).splitlines():
            self.tell("error", "reload", f"not reloaded, the old configuration stays: {mistake}", ok=False, error=mistake)

    def _is_new(self, key: Hashable, said: str) -> bool:
        """Whether something differs from what was said before under ``key``; nothing said yet is an empty text."""
        if self._said.get(key, "") == said:
            return False
        if said:
            self._said[key] = said
        else:
            del self._said[key]
        return True

    def _follow_metric(self, metric: str, entry: BoardEntry) -> None:
        if entry.reading is not None or entry.errors:
            self._asked.add(metric)
        if metric not in self._asked or not self._is_new(("metric", metric), _shape(entry.cause)):
            return
        if entry.cause:
            self.tell("warning", "metric_missing", f"metric {metric} is missing: {entry.cause}", metric=metric, cause=entry.cause)
        else:
            self.tell("info", "metric_returned", f"metric {metric} is back", metric=metric)

    def _follow_formation(self, name: str, formation: TypeFormation) -> None:
        if self._is_new(("crash_loop", name), "yes" if formation.is_crash_looping else ""):
            text = "processes keep failing soon after their start" if formation.is_crash_looping else "no longer fails at its start"
            level: Level = "error" if formation.is_crash_looping else "info"
            self.tell(level, "crash_loop", f"{name}: {text}", process_type=name, crash_looping=formation.is_crash_looping)
        before = self._said.get(("notes", name), "").splitlines()
        if self._is_new(("notes", name), "\n".join(map(_shape, formation.notes))):
            for note in formation.notes:
                if _shape(note) not in before:
                    self.tell("warning", "note", f"{name}: {note}", process_type=name, message=note)

    def _follow_pauses(self, tick: Tick) -> None:
        before, self._pauses = self._pauses, tick.pauses
        for name in before.keys() - tick.pauses.keys():
            self.tell("info", "resumed", f"{name} is no longer paused", process_type=name)
        for name, pause in tick.pauses.items():
            if before.get(name) != pause:
                self.tell("info", "paused", f"{name}: {_describe(pause)}", process_type=name, reason=pause.reason)

    def _tell_decision(self, decision: Decision, tick: Tick) -> None:
        name, current = decision.observation.process_type.name, decision.observation.counts.desired
        is_change = decision.action in ("scale_out", "scale_in")
        # A dry run, or a backend that refuses, leads to the same wish on every tick.
        if self._is_new(("change", name), f"{current} {decision.target}" if is_change else "") and is_change:
            text = f"{decision.action} {name} {current} -> {decision.target}: {decision.reason}"
            self.tell("info", decision.action, text, process_type=name, **{"from": current, "to": decision.target}, reason=decision.reason)
        if self._is_new(("hold", name), _shape(decision.reason) if decision.action == "hold" else "") and decision.action == "hold":
            self.tell("info", "hold", f"hold {name} at {current}: {decision.reason}", process_type=name, processes=current, reason=decision.reason)
        self._follow_policies(decision, tick)

    def _follow_policies(self, decision: Decision, tick: Tick) -> None:
        name = decision.observation.process_type.name
        for given in decision.answers:
            cause = given.answer.cause if isinstance(given.answer, Missing) and not _is_told(given.answer, tick) else ""
            if self._is_new(("policy", name, given.policy), _shape(cause)):
                self._tell_policy(name, given, cause)

    def _tell_policy(self, name: str, given: PolicyAnswer, cause: str) -> None:
        policy, answer = given.policy, given.answer
        if isinstance(answer, Missing) and cause and answer.metric != f"policy {policy}":
            self.tell("warning", "policy_missing", f"{name}: policy {policy} cannot tell: {cause}", process_type=name, policy=policy, cause=cause)
        elif cause:
            self.tell("error", "policy_failed", f"{name}: policy {policy} failed: {cause}", process_type=name, policy=policy, cause=cause)
        else:
            self.tell("info", "policy_returned", f"{name}: policy {policy} answers again", process_type=name, policy=policy)

    def _follow_errors(self, tick: Tick) -> None:
        for name in {*tick.formations, *tick.errors}:
            error = tick.errors.get(name, "")
            if not self._is_new(("error", name), _shape(error)):
                continue
            if error:
                self.tell("error", "backend_failed", f"{name}: {error}", process_type=name, error=error)
            else:
                self.tell("info", "backend_returned", f"{name}: the backend answers again", process_type=name)

    def _follow_missed(self, missed: int) -> None:
        """Tell of missed ticks at 1, 2, 4, 8 ...: a machine that is too slow is not helped by a line each."""
        if missed and self._is_new("missed", str(missed.bit_length())):
            self.tell("warning", "ticks_missed", f"{missed} ticks were not run in time since the start; is the machine overloaded?", missed=missed)


class LogHandler(logging.Handler):
    """Passes warnings of libraries on to the log."""

    def __init__(self, log: Log) -> None:
        """Take the log that is to tell them."""
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one record of the standard library's logging."""
        level: Level = "error" if record.levelno >= logging.ERROR else "warning"
        text = record.getMessage()
        self._log.tell(level, "library", f"{record.name}: {text}", logger=record.name, message=text)


def _shape(text: str | None) -> str:
    """Drop the figures, which differ on each tick while the sentence stays."""
    return _DIGITS.sub("0", text or "")


def _is_told(missing: Missing, tick: Tick) -> bool:
    entry = tick.board.get(missing.metric)
    return entry is not None and entry.cause is not None


def _describe(pause: Pause) -> str:
    what = "paused" if pause.both else "scale-out paused" if pause.scale_out else "scale-in paused"
    return f"{what}: {pause.reason}" if pause.reason else what
