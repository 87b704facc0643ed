"""Turn the metrics and limits of the HPA's cases into our policies, observations and settings."""

from dataclasses import dataclass

from autoscaler.decide.asking import ask
from autoscaler.decide.limits import limit
from autoscaler.decide.memory import Memory
from autoscaler.decide.rate_limit import limit_rate
from autoscaler.decide.settings import DirectionLimits, NamedPolicy, RateLimit
from autoscaler.decide.window import Sized, push_highest, push_lowest
from autoscaler.model import Adjustment, Answer, Counts, Observation, ProcessType, Reading, ReadyCount
from autoscaler_policies.target import Target

NOW = 10_000.0
_SELECT = {"Max": "max", "Min": "min", "Disabled": "disabled"}
_UNITS = {"Pods": "processes", "Percent": "percent"}


@dataclass(frozen=True)
class Load:
    """One metric of a case: the policy that reads it, its readings, and the processes it tells of."""

    policy: Target
    readings: dict[str, Reading]
    running: int | None = None
    starting: int = 0


def load_of(metric, tolerance, name="load") -> Load:
    """Read a metric of a case; one that is in error has a policy, and no reading."""
    tolerances = {"tolerance_out": min(1.0, tolerance["up"]), "tolerance_in": min(1.0, tolerance["down"])}
    if metric["kind"] == "error":
        return Load(Target(metric=name, per_process=1.0, **tolerances), {})
    if "samples_milli" in metric:
        target = "total" if metric["kind"] == "total_ratio" else "per_process"
        return Load(Target(metric=name, **{target: metric["target_milli"] / 1000}, **tolerances), _total(name, metric["samples_milli"]))
    running, starting = (sum(one["state"] in states for one in metric["replicas"]) for states in ({"ready", "missing"}, {"unready"}))
    if metric["kind"] == "per_replica_value":
        policy = Target(metric=name, per_process=metric["target_milli"] / 1000, **tolerances)
        return Load(policy, _each(name, metric["replicas"], "value_milli"), running, starting)
    policy = Target(metric=name, utilization=metric["target_percent"] / 100, capacity=f"{name}_capacity", **tolerances)
    readings = _each(name, metric["replicas"], "usage_milli") | _each(policy.capacity, metric["replicas"], "capacity_milli", only_ready=False)
    return Load(policy, readings, running, starting)


def answer_of(load: Load, current: int, ready: int | None) -> Answer:
    """Ask the policy of one metric, as the pipeline does."""
    running = load.running if load.running is not None else current if ready is None else ready
    starting = load.starting if load.running is not None else current - running
    return ask(NamedPolicy("target", load.policy), observation_of([load], Counts(current, running, starting)), None)


def observation_of(loads, counts, process_type=None) -> Observation:
    """Observe every metric at once."""
    readings = {name: reading for load in loads for name, reading in load.readings.items()}
    process_type = process_type or ProcessType(name="web", minimum=0, maximum=2**31 - 1)
    missing = {load.policy.metric: "in error" for load in loads if not load.readings}
    return Observation(NOW, 0.0, process_type, counts, readings, missing, ready_history=(ReadyCount(0.0, counts.running),))


def direction_of(rules) -> DirectionLimits:
    """Read the scaling rules of one direction."""
    limits = tuple(RateLimit(rule["value"], _UNITS[rule["type"]], rule["period_s"]) for rule in rules["policies"])
    return DirectionLimits(stabilization_seconds=rules["stabilization_s"] or 0.0, at_most=limits, select=_SELECT[rules["select"]])


def growth_of(factor, minimum, current) -> DirectionLimits:
    """Cap growth at the larger of ``factor`` times the present size and ``minimum``, as the HPA does without rules."""
    limits = (RateLimit(round((factor - 1) * 100), "percent", 15.0), RateLimit(max(0, round(minimum) - current), "processes", 15.0))
    return DirectionLimits(at_most=limits)


def limited(situation, replicas) -> tuple[int, list[Adjustment]]:
    """Let the rate limits and then the limits of a type change a number, as the pipeline does."""
    made = []
    for rule in (limit_rate, limit):
        adjustment = rule(situation, replicas)
        if adjustment is not None and adjustment.after != replicas:
            made.append(adjustment)
            replicas = adjustment.after
    return replicas, made


def windows_of(recommendations, desired, up_seconds, down_seconds) -> tuple[Memory, set[int]]:
    """Remember recommendations, oldest first; also return the numbers that are left once ``desired`` is remembered too."""
    low: tuple[Sized, ...] = ()
    high: tuple[Sized, ...] = ()
    for one in sorted(recommendations, key=lambda one: -one["age_s"]):
        sized = Sized(NOW - one["age_s"], one["replicas"])
        low, high = push_lowest(low, sized, up_seconds), push_highest(high, sized, down_seconds)
    newest = Sized(NOW, desired)
    kept = (*push_lowest(low, newest, up_seconds), *push_highest(high, newest, down_seconds))
    return Memory(lowest=low, highest=high), {sized.processes for sized in kept}


def reasons_of(adjustments) -> list[str]:
    """Say in the HPA's words what changed the number; of limits it names the last."""
    limits, stabilized = ["DesiredWithinRange"], []
    for made in adjustments:
        is_out = made.after < made.before  # what was held back is a scale-out
        if made.rule == "stabilization":
            stabilized = ["ScaleUpStabilized" if is_out else "ScaleDownStabilized"]
        if made.rule in {"rate_limit", "limits"}:
            rate, limit = ("ScaleUpLimit", "TooManyReplicas") if is_out else ("ScaleDownLimit", "TooFewReplicas")
            limits = [rate if made.rule == "rate_limit" else limit]
    return stabilized + limits


def _total(name, samples) -> dict[str, Reading]:
    return {name: Reading(name, sum(samples) / 1000, NOW)}


def _each(name, replicas, key, *, only_ready=True) -> dict[str, Reading]:
    states = {"ready"} if only_ready else {"ready", "missing", "unready"}
    values = {f"web.{number}": one[key] / 1000 for number, one in enumerate(replicas, 1) if one["state"] in states and one.get(key) is not None}
    return {name: Reading(name, sum(values.values()), NOW, 0.0, values)}
