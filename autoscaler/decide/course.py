"""The way of one process type through a tick: stages 1 to 6 alone, then 8 and 9 once the formation is shared out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from autoscaler.decide.bounds import bounds_of, keep_within
from autoscaler.decide.combine import Proposal, combine
from autoscaler.decide.cooldown import cool_down
from autoscaler.decide.crash_loop import hold_crash_loop
from autoscaler.decide.futility import REMARK, follow, hold_futile, is_in_vain
from autoscaler.decide.limits import keep_off, keep_single, limit
from autoscaler.decide.memory import Memory, SizeChange, must_wait_for_windows, recall
from autoscaler.decide.pause import hold_paused
from autoscaler.decide.projection import hold_projected
from autoscaler.decide.rate_limit import limit_rate
from autoscaler.decide.room import ceiling_of, hold_without_room
from autoscaler.decide.settings import NamedPolicy, Pause, TypeSettings
from autoscaler.decide.situation import Ceiling, Rule, Situation
from autoscaler.decide.stabilization import stabilize
from autoscaler.decide.window import Sized, push_highest, push_lowest
from autoscaler.model import Action, Adjustment, Answer, Decision, Json, Observation, PolicyAnswer

# The order is the design's: a later rule has the last word. Stages 3 to 6, then 8 and 9; between them the formation is shared out.
LIMITS: tuple[Rule, ...] = (
    keep_off, stabilize, cool_down, limit_rate, hold_projected, hold_crash_loop, hold_futile, hold_without_room,
)  # fmt: skip
BOUNDS: tuple[Rule, ...] = (limit, keep_single, hold_paused)

Ask = Callable[[NamedPolicy, Observation, Json], Answer]


@dataclass(frozen=True, slots=True)
class Course:
    """Where one process type stands after stage 6."""

    situation: Situation
    answers: tuple[PolicyAnswer, ...]
    proposal: Proposal
    wished: int  # what the windows remember: the policies' wish within the bounds of the moment
    adjustments: tuple[Adjustment, ...]
    processes: int

    @property
    def name(self) -> str:
        """Name the process type."""
        return self.situation.settings.name


def begin_course(settings: TypeSettings, observation: Observation, memory: Memory, pause: Pause, ask: Ask) -> Course:
    """Ask the policies and take stages 1 to 6."""
    memory = _recall_gap(settings, observation, recall(settings, observation, memory))
    seen = _with_history(observation, memory)
    answers = tuple([PolicyAnswer(named.name, ask(named, seen, memory.policies.get(named.name))) for named in settings.policies])
    futility = follow(settings, seen, memory)
    if futility is not memory.futility:
        memory = replace(memory, futility=futility)
    situation = Situation(settings, seen, memory, pause, bounds_of(settings, seen, is_called=memory.is_called), ceiling_of(seen))
    return take_course(situation, answers, combine(situation, answers), ())


def take_course(situation: Situation, answers: tuple[PolicyAnswer, ...], proposal: Proposal, demands: tuple[Rule, ...]) -> Course:
    """Take stages 2 to 6; ``demands`` are what the formation asks of this type before its windows and limits."""
    made: tuple[Adjustment, ...] = (proposal.adjustment,) if proposal.adjustment else ()
    wished = proposal.adjustment.after if proposal.adjustment else proposal.processes
    made, wished = apply_rules((keep_within, *demands), situation, made, wished)
    adjustments, processes = apply_rules(LIMITS, situation, made, wished)
    return Course(situation, answers, proposal, wished, adjustments, processes)


def end_course(course: Course, ceiling: Ceiling | None) -> tuple[Decision, Memory]:
    """Take stages 7 to 9: ``ceiling`` is what the formation grants this type, ``None`` where nothing is limited."""
    situation, made, processes = course.situation, course.adjustments, course.processes
    if ceiling is not None:
        situation = replace(situation, ceiling=min(filter(None, (ceiling, situation.ceiling)), key=lambda one: one.processes))
        made, processes = apply_rules((hold_without_room,), situation, made, processes)
    adjustments, target = apply_rules(BOUNDS, situation, made, processes)
    decision = Decision(situation.observation, course.answers, adjustments, target, *_conclude(situation, course.proposal, adjustments, target))
    return decision, _remember(situation, course, target)


def apply_rules(rules: tuple[Rule, ...], situation: Situation, made: tuple[Adjustment, ...], processes: int) -> tuple[tuple[Adjustment, ...], int]:
    """Let each rule have its say on the number; return all adjustments and the number."""
    for rule in rules:
        adjustment = rule(situation, processes)
        if adjustment is not None and adjustment.after != processes:
            made = (*made, adjustment)
            processes = adjustment.after
    return made, processes


def _with_history(observation: Observation, memory: Memory) -> Observation:
    return Observation(  # written out: dataclasses.replace takes twice as long, and this runs for every type on every tick
        now=observation.now,
        at=observation.at,
        process_type=observation.process_type,
        counts=observation.counts,
        readings=observation.readings,
        missing=observation.missing,
        startup_seconds=observation.startup_seconds,
        is_crash_looping=observation.is_crash_looping,
        is_called=observation.is_called,
        room=observation.room,
        ready_history=memory.ready,
    )


def _recall_gap(settings: TypeSettings, observation: Observation, memory: Memory) -> Memory:
    """Record the current size where the windows do not know it: scale-in then waits for one that is fully covered."""
    if not must_wait_for_windows(settings, observation.now, memory):
        return memory
    size = Sized(observation.now, observation.counts.desired)
    return replace(
        memory,
        lowest=push_lowest(memory.lowest, size, settings.scale_out.stabilization_seconds),
        highest=push_highest(memory.highest, size, settings.scale_in.stabilization_seconds),
    )


def _conclude(situation: Situation, proposal: Proposal, adjustments: tuple[Adjustment, ...], target: int) -> tuple[Action, str]:
    said = [situation.memory.set_by_others, proposal.reason, *[adjustment.reason for adjustment in adjustments]]
    if is_in_vain(situation.memory) and situation.settings.futility == "warn":
        said.append(REMARK)
    return _action(situation.current, target, is_refused=bool(adjustments) or proposal.is_without_data), "; ".join(filter(None, said))


def _action(current: int, target: int, *, is_refused: bool) -> Action:
    if target != current:
        return "scale_out" if target > current else "scale_in"
    return "hold" if is_refused else "none"


def _remember(situation: Situation, course: Course, target: int) -> Memory:
    now, current, settings, memory = situation.now, situation.current, situation.settings, situation.memory
    wished = Sized(now, min(course.wished, settings.process_type.maximum))  # more is not to be had, and would only lengthen the windows
    return Memory(
        policies={given.policy: given.answer.memory for given in course.answers if given.answer.memory is not None},
        lowest=push_lowest(memory.lowest, wished, settings.scale_out.stabilization_seconds),
        highest=push_highest(memory.highest, wished, settings.scale_in.stabilization_seconds),
        changes=memory.changes,
        asked=SizeChange(now, current, target) if target != current else None,
        desired=memory.desired,
        last_tick=now,
        ready=memory.ready,
        is_off=memory.is_off,
        set_by_others=memory.set_by_others,
        futility=memory.futility,
        is_called=memory.is_called,
    )
