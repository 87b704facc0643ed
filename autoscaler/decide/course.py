"""The way of one process type through a tick: stages 1 to 6 alone, then 8 and 9 once the formation is shared out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from autoscaler.decide.asking import Asking
from autoscaler.decide.bounds import answer_call, keep_within, scheduled_bounds
from autoscaler.decide.combine import Proposal, combine
from autoscaler.decide.cooldown import cool_down
from autoscaler.decide.crash_loop import hold_crash_loop
from autoscaler.decide.futility import REMARK, follow, hold_futile, is_in_vain
from autoscaler.decide.idle import hold_busy
from autoscaler.decide.limits import OFF, keep_off, keep_single, limit, say_minimum
from autoscaler.decide.memory import Memory, SizeChange, must_wait_for_windows, recall
from autoscaler.decide.pause import hold_paused
from autoscaler.decide.projection import hold_projected
from autoscaler.decide.rate_limit import limit_rate
from autoscaler.decide.room import ceiling_of, hold_without_room
from autoscaler.decide.settings import Pause, TypeSettings
from autoscaler.decide.situation import Ceiling, Rule, Situation
from autoscaler.decide.stabilization import stabilize
from autoscaler.decide.window import Sized, push_highest, push_lowest
from autoscaler.model import Action, Adjustment, Decision, Observation, PolicyAnswer

# The order is the design's: a later rule has the last word. Stages 3 to 5, then 6, then 8 and 9; before these two the formation is shared out.
PACE: tuple[Rule, ...] = (keep_off, stabilize, cool_down, limit_rate)
GUARDS: tuple[Rule, ...] = (hold_crash_loop, hold_futile, hold_without_room, hold_busy)
BOUNDS: tuple[Rule, ...] = (limit, keep_single, hold_paused)


@dataclass(frozen=True, slots=True)
class Course:
    """Where one process type stands after stage 6."""

    situation: Situation
    proposal: Proposal
    wished: int  # what the windows remember: the policies' wish within the bounds of the moment
    adjustments: tuple[Adjustment, ...]
    processes: int

    @property
    def name(self) -> str:
        """Name the process type."""
        return self.situation.settings.name


def begin_course(settings: TypeSettings, observation: Observation, memory: Memory, pause: Pause, asking: Asking) -> Course:
    """Ask the policies and take stages 1 to 6."""
    bounds = scheduled_bounds(settings, observation)
    memory = recall(settings, observation, memory, bounds.minimum if bounds else settings.process_type.minimum)
    memory = _recall_gap(settings, observation, memory)
    seen = _with_history(observation, memory)
    answers = tuple([PolicyAnswer(named.name, asking.ask(named, seen, memory.policies.get(named.name))) for named in settings.policies])
    futility = follow(settings, seen, memory, asking)
    if futility is not memory.futility:
        memory = replace(memory, futility=futility)
    if memory.is_called:
        bounds = answer_call(settings, bounds)
    situation = Situation(settings, seen, memory, pause, answers, bounds, ceiling_of(seen), asking)
    return take_course(situation, combine(situation), ())


def take_course(situation: Situation, proposal: Proposal, demands: tuple[Rule, ...]) -> Course:
    """Take stages 2 to 6; ``demands`` are what the formation asks of this type before its windows and limits."""
    made: tuple[Adjustment, ...] = (proposal.adjustment,) if proposal.adjustment else ()
    wished = proposal.adjustment.after if proposal.adjustment else proposal.processes
    made, wished = apply_rules((keep_within, *demands), situation, made, wished)
    made, processes = apply_rules(PACE, situation, made, wished)
    if processes < situation.current:
        # What a window or the formation asks for is not undone by the load: it holds no more than they would let stay.
        _, most = apply_rules((keep_within, *demands), situation, (), situation.current)
        made, processes = apply_rules((partial(hold_projected, counted=proposal.counted, most=most),), situation, made, processes)
    made, processes = apply_rules(GUARDS, situation, made, processes)
    return Course(situation, proposal, wished, made, processes)


def reach(course: Course, processes: int) -> int:
    """Return the size that stages 8 and 9 make of a number."""
    return apply_rules(BOUNDS, course.situation, (), processes)[1]


def end_course(course: Course, ceiling: Ceiling | None) -> tuple[Decision, Memory]:
    """Take stages 7 to 9: ``ceiling`` is what the formation grants this type, ``None`` where nothing is limited."""
    situation, made, processes = course.situation, course.adjustments, course.processes
    if ceiling is not None:
        situation = replace(situation, ceiling=min(filter(None, (ceiling, situation.ceiling)), key=lambda one: one.processes))
        made, processes = apply_rules((hold_without_room,), situation, made, processes)
    adjustments, target = apply_rules(BOUNDS, situation, made, processes)
    decision = Decision(situation.observation, situation.answers, adjustments, target, *_conclude(situation, course.proposal, adjustments, target))
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
        unready=observation.unready,
        chooses_idlest=observation.chooses_idlest,
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
    refusal = _refusal(situation, adjustments, target)
    said = [situation.memory.set_by_others, proposal.reason, *[adjustment.reason for adjustment in adjustments], refusal]
    if is_in_vain(situation.memory) and situation.settings.futility == "warn":
        said.append(REMARK)
    is_refused = bool(adjustments) or bool(refusal) or proposal.is_without_data
    return _action(situation.current, target, is_refused=is_refused), "; ".join(filter(None, said))


def _refusal(situation: Situation, adjustments: tuple[Adjustment, ...], target: int) -> str:
    """Say what keeps a type from running as many as it should where no rule had to change the number for it."""
    said = [one.reason for one in adjustments]
    if situation.memory.is_off:
        return OFF if target < situation.minimum and OFF not in said else ""
    ceiling, bounds = situation.ceiling, situation.bounds
    if ceiling is not None and not any(ceiling.reason in reason for reason in said):
        if ceiling.is_exceeded:
            return ceiling.reason
        if ceiling.processes <= target < situation.minimum:
            return f"{say_minimum(situation)}, but {ceiling.reason}"
    if situation.memory.is_called and target == 0 and bounds is not None and bounds.maximum == 0:
        return f"a connection waits, but {bounds.maximum_reason}"
    return ""


def _action(current: int, target: int, *, is_refused: bool) -> Action:
    if target != current:
        return "scale_out" if target > current else "scale_in"
    return "hold" if is_refused else "none"


def _remember(situation: Situation, course: Course, target: int) -> Memory:
    now, current, settings, memory = situation.now, situation.current, situation.settings, situation.memory
    wished = Sized(now, min(course.wished, settings.process_type.maximum))  # more is not to be had, and would only lengthen the windows
    return Memory(
        policies={given.policy: given.answer.memory for given in situation.answers if given.answer.memory is not None},
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
        occupied=memory.occupied,
    )
