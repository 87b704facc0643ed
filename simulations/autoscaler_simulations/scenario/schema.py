"""The sections of a scenario file, each as the frozen dataclass that its mapping is read into.

``None`` stands for a key that is not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from autoscaler.model import Duration, DurationOrZero, Help, Number, Processes, Ratio
from autoscaler_simulations.durations import Deterministic, Empirical, Exponential, Hyperexponential, Lognormal
from autoscaler_simulations.load.generators import Batch, Constant, Diurnal, FlashCrowd, Poisson, Ramp, Step
from autoscaler_simulations.load.range_query import RangeQuery
from autoscaler_simulations.load.recorded import Recorded
from autoscaler_simulations.scenario.one_of import given, keys_of

_MANY = 100_000  # processes; more are a slip of the pen
_Peak = Annotated[float, Number(above=0, at_most=_MANY)]
_Running = Annotated[int, Number(at_least=0, at_most=_MANY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationSection:
    """A random duration: one of these."""

    deterministic: Annotated[Deterministic | None, Help("always the same")] = None
    exponential: Annotated[Exponential | None, Help("memoryless")] = None
    lognormal: Annotated[Lognormal | None, Help("skewed to the right, as most service times are")] = None
    hyperexponential: Annotated[Hyperexponential | None, Help("a few that are much longer than the rest")] = None
    empirical: Annotated[Empirical | None, Help("drawn from the durations of a file")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless one is given."""
        given(self, keys_of(type(self)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSection:
    """A part of what arrives: one of these."""

    constant: Annotated[Constant | None, Help("evenly spaced")] = None
    poisson: Annotated[Poisson | None, Help("by chance, at a rate that stays")] = None
    step: Annotated[Step | None, Help("a rate that changes once")] = None
    ramp: Annotated[Ramp | None, Help("a rate that moves in a straight line")] = None
    diurnal: Annotated[Diurnal | None, Help("a rate that follows the day")] = None
    flash_crowd: Annotated[FlashCrowd | None, Help("a crowd that comes within minutes, stays and leaves")] = None
    batch: Annotated[Batch | None, Help("many at once, again and again")] = None
    recorded: Annotated[Recorded | None, Help("a file of counts, of jobs, or of a Prometheus range query")] = None
    prometheus: Annotated[RangeQuery | None, Help("a range query against a Prometheus server")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless one is given."""
        given(self, keys_of(type(self)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSection:
    """What the process type promises."""

    wait_seconds: Annotated[DurationOrZero | None, Help("from arrival to the start of work")] = None
    response_seconds: Annotated[Duration | None, Help("from arrival to the end of work, in place of wait")] = None
    share: Annotated[Ratio, Help("of the requests that must not take longer")] = 0.99

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless one of the two is given, and for a share that nothing or everything meets."""
        given(self, keys_of(type(self), "share"))
        if not 0 < self.share < 1:
            raise ValueError(f"share {self.share:g} is not between 0 and 1, both excluded; write 0.99 for 99 % of the requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSection:
    """The work of one process type, and how its processes live."""

    load: Annotated[tuple[LoadSection, ...] | None, Help("what arrives; several are added up")] = None
    peak: Annotated[_Peak | None, Help("scale the load so that its busiest interval keeps so many processes busy")] = None
    spread: Annotated[Literal["poisson", "even"] | None, Help("how arrivals fall within an interval of the load")] = None
    fano: Annotated[float, Number(at_least=1, at_most=1_000_000), Help("variance over mean of the arrivals of an interval")] = 1.0
    service: Annotated[DurationSection | None, Help("how long one slot works on a request; a file of jobs has its own")] = None
    startup: Annotated[DurationSection | None, Help("from start to ready; default the configuration's startup, or 5s")] = None
    lifetime: Annotated[DurationSection | None, Help("from ready to a crash; default they do not crash")] = None
    objective: Annotated[ObjectiveSection | None, Help("what the type promises; default a wait of 1s for 99 %")] = None
    queue_limit: Annotated[Processes | None, Help("places to wait; who finds none is refused; default everybody may wait")] = None
    returns_work: Annotated[bool, Help("what a dying process has in hand is queued again, or else lost")] = True
    running: Annotated[_Running | None, Help("ready at the beginning; default the minimum")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSection:
    """What a metric of the configuration measures: one of these, of a process type."""

    arrival_rate: Annotated[str | None, Help("requests a second that arrive")] = None
    completion_rate: Annotated[str | None, Help("requests a second that are finished")] = None
    waiting: Annotated[str | None, Help("requests that wait")] = None
    busy: Annotated[str | None, Help("requests that are worked on")] = None
    in_flight: Annotated[str | None, Help("requests that wait or are worked on")] = None
    utilization: Annotated[str | None, Help("busy share of the slots of ready processes, 0 to 1")] = None
    oldest_wait: Annotated[str | None, Help("seconds that the first in the queue has waited")] = None
    mean_wait: Annotated[str | None, Help("mean seconds that those waited who were started in the window")] = None
    window_seconds: Annotated[DurationOrZero, Help("span it is averaged over; 0: since the last poll for a rate, momentary for a count")] = 0.0
    delay_seconds: Annotated[DurationOrZero, Help("age of the newest sample when it is polled")] = 0.0
    each_process: Annotated[bool, Help("asked of every ready process, as prometheus_text with each_process does")] = False

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless one is given."""
        given(self, MEASURES)


MEASURES = keys_of(MeasureSection, "window_seconds", "delay_seconds", "each_process")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSection:
    """When a fault begins, and how long it lasts."""

    at_seconds: Annotated[DurationOrZero, Help("when it begins")]
    for_seconds: Annotated[Duration, Help("how long it lasts")]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricOutageSection(SpanSection):
    """A metric that has no value."""

    metric: Annotated[str, Help("its name in the configuration")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LateMetricSection(SpanSection):
    """A metric whose samples are old."""

    metric: Annotated[str, Help("its name in the configuration")]
    delay_seconds: Annotated[Duration, Help("how much older they are than usual")]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendOutageSection(SpanSection):
    """A backend that neither shows nor changes anything."""

    backend: Annotated[str, Help("its name in the configuration")] = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowBackendSection(SpanSection):
    """A backend that starts and stops processes late."""

    process_type: Annotated[str, Help("whose processes")]
    delay_seconds: Annotated[Duration, Help("from being told to doing it")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStartsSection(SpanSection):
    """Starts that fail, as those of a poisonous deploy do."""

    process_type: Annotated[str, Help("whose starts")]
    share: Annotated[Ratio, Help("of the starts that fail")] = 1.0
    lives_seconds: Annotated[Duration | None, Help("from ready to the crash; default they never become ready")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LostHostSection(SpanSection):
    """A host that is away with its processes."""

    process_type: Annotated[str, Help("whose processes")]
    share: Annotated[Ratio, Help("of the processes that are on the host")] = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSection:
    """Something that goes wrong: one of these."""

    metric_outage: Annotated[MetricOutageSection | None, Help("a metric has no value")] = None
    late_metric: Annotated[LateMetricSection | None, Help("a metric is older than usual")] = None
    backend_outage: Annotated[BackendOutageSection | None, Help("a backend does not answer")] = None
    slow_backend: Annotated[SlowBackendSection | None, Help("a backend acts late")] = None
    failed_starts: Annotated[FailedStartsSection | None, Help("starts fail")] = None
    lost_host: Annotated[LostHostSection | None, Help("a host is away")] = None

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless one is given."""
        given(self, keys_of(type(self)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSection:
    """The whole file."""

    about: Annotated[str, Help("one sentence on what happens")] = ""
    length_seconds: Annotated[Duration | None, Help("of the simulation; default that of the longest recorded load")] = None
    begins: Annotated[str, Help("date and time at which it begins, as '2026-03-02 00:00', in UTC")] = "2026-03-02 00:00"
    fidelity: Annotated[Literal["auto", "requests", "flow"], Help("every request, or flows for long loads; auto chooses by their number")] = "auto"
    seed: Annotated[int, Number(at_least=0), Help("of all that happens by chance")] = 1
    configuration: Annotated[object, Help("a configuration of the autoscaler, or the name of its file")] = None
    metrics: Annotated[Mapping[str, MeasureSection] | None, Help("what each metric of the configuration measures")] = None
    processes: Annotated[Mapping[str, ProcessSection] | None, Help("the load and the life of each process type of the configuration")] = None
    faults: Annotated[tuple[FaultSection, ...] | None, Help("what goes wrong, and when")] = None
    expect: Annotated[object, Help("ranges that figures of the result must lie in, by process type")] = None
