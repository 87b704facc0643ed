"""Be the backend of an engine elsewhere: ask and tell it beside the tick, which waits for it only so long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event

from autoscaler.act.backend import Backend, BackendError
from autoscaler.act.happenings import Happenings
from autoscaler.act.remote.engine import DONE, Engine, Order, Sighting, Verdict
from autoscaler.act.remote.type_state import NOT_ASKED, TypeState
from autoscaler.clock import Clock, SystemClock
from autoscaler.model import AutoscalerError, Change, Formation, Outcome, ProcessType
from autoscaler.parallel import Job

_SHARE_OF_INTERVAL = 0.35  # of the time between two ticks that one of them waits for a look, and again for a change
_LEAST_PATIENCE_SECONDS, _MOST_PATIENCE_SECONDS = 0.2, 3.0
_FIRST_PATIENCE_SECONDS = 15.0  # of a check or a plan, which look once
_BELIEVED_INTERVALS, _BELIEVED_SECONDS = 3.0, 15.0  # how long a look counts while the next one is under way
_LAST_SECONDS = 0.5  # that closing waits for what is under way
_IS_SINGLE = "it is a singleton, and the one that drains has not ended"


def live_engine(plugin: object, process_types: tuple[ProcessType, ...], previous: Backend | None, make: Callable[[], Engine]) -> Backend:
    """Return the backend of a plug-in: ``previous`` itself where nothing but keys of its types has changed, else a new connection."""
    if isinstance(previous, LiveEngine) and previous.serves(plugin, process_types):
        previous.reload(process_types)
        return previous
    return LiveEngine(make(), process_types, plugin=plugin)


def observing(process_types: tuple[ProcessType, ...], make: Callable[[], Engine]) -> Backend:
    """Return a backend to look only; its first look waits for a whole answer."""
    return LiveEngine(make(), process_types, first_patience_seconds=_FIRST_PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """What the engine is asked now, and how its answer is taken in."""

    job: Job[None]
    take: Callable[[], None]
    is_look: bool = False
    answers: list[Mapping[str, Sighting | str]] = field(default_factory=list)  # of a look


class LiveEngine:
    """A backend whose engine is asked by one job at a time, in a thread of its own."""

    def __init__(
        self,
        engine: Engine,
        process_types: tuple[ProcessType, ...],
        *,
        plugin: object = None,
        clock: Clock | None = None,
        first_patience_seconds: float = 0.0,
    ) -> None:
        """Ask ``engine`` for these types; ``plugin`` is the configuration it was made from."""
        self._engine = engine
        self._plugin = plugin
        self._clock = clock or SystemClock()
        self._first_patience = first_patience_seconds
        self._types = {each.name: TypeState(each) for each in process_types}
        self._happenings = Happenings()
        self._under_way: _UnderWay | None = None
        self._is_closed = False

    def serves(self, plugin: object, process_types: tuple[ProcessType, ...]) -> bool:
        """Tell whether this connection is good for another configuration as well."""
        return not self._is_closed and self._plugin == plugin and {each.name for each in process_types} == self._types.keys()

    def reload(self, process_types: tuple[ProcessType, ...]) -> None:
        """Go on with other keys of the same types."""
        for each in process_types:
            self._types[each.name].process_type = each

    def observe(self) -> Formation:
        """Return what runs, by a look that begins now or, where the engine is slow, by the one before."""
        self._require_open()
        patience = max(self._first_patience, self._patience())
        self._first_patience = 0.0
        # What was waited for already at the tick before gets a moment only: a dead engine would slow every tick of the others.
        until = self._clock.now() + (patience if self._under_way is None else _LEAST_PATIENCE_SECONDS)
        if self._settle(until):
            self._begin_look()
            self._settle(until)
        now = self._clock.now()
        errors = {name: trouble for name, state in self._types.items() if (trouble := self._trouble(state, now))}
        types = {name: seen for name, state in self._types.items() if name not in errors and (seen := state.describe(now))}
        return Formation(types, self._happenings.take(), errors)

    def scale(self, changes: tuple[Change, ...]) -> tuple[Outcome, ...]:
        """Tell the engine what differs from what was seen, each once; what has no answer in time goes on beside the ticks."""
        self._require_open()
        until = self._clock.now() + self._patience()
        decided_on = {state.name: state.sighting for state in self._concerned(changes)}
        if self._settle(until) and any(state.sighting is None for state in self._concerned(changes)):
            self._begin_look()
            self._settle(until)
        refusals = {change.process_type: refusal for change in changes if (refusal := self._refusal(change, decided_on.get(change.process_type)))}
        orders = [order for change in changes if change.process_type not in refusals and (order := self._order(change))]
        verdicts = self._send(tuple(orders)) if orders else {}
        return tuple(Outcome(each.process_type, refusals.get(each.process_type) or _error_of(verdicts.get(each.process_type))) for each in changes)

    def close(self, hurry: Event) -> None:
        """Let go of the engine; what runs there goes on."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._under_way:
            self._under_way.job.wait(0.0 if hurry.is_set() else _LAST_SECONDS)
        self._engine.close()

    # Jobs

    def _begin_look(self) -> None:
        answer: list[Mapping[str, Sighting | str]] = []
        began = self._clock.now()
        job = Job(lambda: answer.append(self._engine.look()), "look")
        self._under_way = _UnderWay(job, lambda: self._take_look(job, answer, began), is_look=True, answers=answer)

    def _take_look(self, job: Job[None], answer: list[Mapping[str, Sighting | str]], began: float) -> None:
        try:
            job.answer()
        except AutoscalerError as error:
            answer.append(dict.fromkeys(self._types, str(error)))
        for name, state in self._types.items():
            found = answer[0].get(name, "the engine said nothing of it")
            if isinstance(found, str):
                state.missed(found)
            elif happening := state.saw(found, began):
                self._happenings.tell(happening)

    def _send(self, orders: tuple[Order, ...]) -> Mapping[str, Verdict]:
        """Give orders, after a look that is still under way, and return the verdicts that come in time."""
        verdicts: dict[str, Verdict] = {}
        now, look = self._clock.now(), self._under_way
        job = Job(lambda: self._scale_after(look, orders, verdicts), "scale")
        for order in orders:  # afterwards: where no thread can be started, nothing is under way
            self._types[order.name].sent(order.change.target, now)
        self._under_way = _UnderWay(job, lambda: self._take_verdicts(job, orders, verdicts, look))
        if self._settle(now + self._patience()):
            return verdicts
        self._under_way = _UnderWay(job, lambda: self._take_late_verdicts(job, orders, verdicts, look))
        return {}  # nothing is wrong yet: the next tick says that there was no answer, or what became of it

    def _scale_after(self, look: _UnderWay | None, orders: tuple[Order, ...], verdicts: dict[str, Verdict]) -> None:
        if look is not None:
            look.job.wait()
            look.job.answer()  # a look that failed gives no order: what it was decided on is old by now
        self._require_open()
        fresh = look.answers[0] if look is not None and look.answers else {}
        renewed = {order.name: self._renewed(order, fresh.get(order.name)) for order in orders}
        verdicts.update({name: each for name, each in renewed.items() if isinstance(each, Verdict)})
        if left := tuple(each for each in renewed.values() if isinstance(each, Order)):
            verdicts.update(self._engine.scale(left))

    def _take_verdicts(self, job: Job[None], orders: tuple[Order, ...], verdicts: dict[str, Verdict], look: _UnderWay | None) -> None:
        refusal = Verdict("unclear", "the backend failed in the middle of it")
        try:
            if look is not None:
                look.take()
            job.answer()
        except AutoscalerError as error:
            refusal = Verdict("refused", str(error))
        finally:
            for order in orders:
                self._types[order.name].answered(verdicts.setdefault(order.name, refusal))

    def _take_late_verdicts(self, job: Job[None], orders: tuple[Order, ...], verdicts: dict[str, Verdict], look: _UnderWay | None) -> None:
        """Take in verdicts of which no outcome can tell any more."""
        self._take_verdicts(job, orders, verdicts, look)
        for order in orders:
            if verdicts[order.name].kind == "refused":
                self._types[order.name].refused_late(order.change.target, verdicts[order.name].sentence)

    def _settle(self, until: float) -> bool:
        """Wait until then for what is under way, and take it in; tell whether nothing is any more."""
        under_way = self._under_way
        if under_way is None:
            return True
        if not under_way.job.wait(max(0.0, until - self._clock.now())):
            return False
        self._under_way = None
        under_way.take()
        return True

    # Judgements

    def _patience(self) -> float:
        interval = min((state.process_type.interval_seconds for state in self._types.values()), default=1.0)
        return min(_MOST_PATIENCE_SECONDS, max(_LEAST_PATIENCE_SECONDS, _SHARE_OF_INTERVAL * interval))

    def _trouble(self, state: TypeState, now: float) -> str | None:
        """Say why a type is not known now."""
        if state.under_way is not None:
            return f"the change to {state.under_way} has had no answer for {now - state.since:.0f} s"
        if state.sighting is None:
            before = "" if state.trouble == NOT_ASKED else f"; before, {state.trouble}"
            return state.trouble if self._under_way is None else f"no answer yet{before}"
        believed = max(_BELIEVED_SECONDS, _BELIEVED_INTERVALS * state.process_type.interval_seconds)
        return f"no answer for {now - state.since:.0f} s" if now - state.since > believed else None

    def _concerned(self, changes: tuple[Change, ...]) -> list[TypeState]:
        return [self._types[change.process_type] for change in changes if change.process_type in self._types]

    def _refusal(self, change: Change, decided_on: Sighting | None) -> str | None:
        name = change.process_type
        state = self._types.get(name)
        if state is None:
            return f"{name} is not a process type of this formation; add it under formation:"
        if change.target < 0:
            return f"{name}: {change.target} processes cannot run; ask for 0 or more"
        if self._under_way is not None and not self._under_way.is_look:
            return "nothing was sent: what was asked before has no answer yet"
        if state.sighting is None:
            return f"nothing was sent: {state.trouble}"
        return _overtaken(decided_on or state.sighting, state.sighting, change.target)

    def _order(self, change: Change) -> Order | None:
        """Make an order of a change, unless there is nothing to do, or not now."""
        state = self._types[change.process_type]
        seen = state.sighting
        if seen is None or seen.counts.desired == change.target:
            return None
        if self._must_wait(change, seen):
            state.hold_back(change.target, _IS_SINGLE)
            return None
        return Order(change, seen)

    def _renewed(self, order: Order, found: Sighting | str | None) -> Order | Verdict:
        """Take what was seen since into an order, or return what becomes of it for that reason."""
        if found is None:
            return order
        if isinstance(found, str):
            return Verdict("refused", f"nothing was sent: {found}")
        if found.counts.desired == order.change.target:
            return DONE
        if overtaken := _overtaken(order.seen, found, order.change.target):
            return Verdict("refused", overtaken)
        return Verdict("waits", _IS_SINGLE) if self._must_wait(order.change, found) else Order(order.change, found)

    def _must_wait(self, change: Change, seen: Sighting) -> bool:
        is_singleton = self._types[change.process_type].process_type.is_singleton
        return is_singleton and change.target > seen.counts.desired and seen.counts.draining > 0

    def _require_open(self) -> None:
        if self._is_closed:
            raise BackendError("the backend is closed")


def _overtaken(before: Sighting, now: Sighting, target: int) -> str | None:
    """Say that somebody else set another number after the look that a change was decided on."""
    decided_on, desired = before.counts.desired, now.counts.desired
    if desired in {decided_on, target}:
        return None
    return f"nothing was sent: somebody else set it from {decided_on} to {desired} meanwhile; decided again at the next tick"


def _error_of(verdict: Verdict | None) -> str | None:
    return verdict.sentence if verdict and verdict.kind in {"refused", "unclear"} else None
