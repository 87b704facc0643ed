"""Read a metric from pages in the Prometheus text format, without a Prometheus server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Annotated, Literal
from urllib.parse import urlsplit

from autoscaler.http_client import Answer, HttpError, Login
from autoscaler.model import Address, Help, Reading
from autoscaler.observe.counter_rate import Counted, rates
from autoscaler.observe.endpoint import ask, require_url
from autoscaler.observe.exposition import Sample, samples_of
from autoscaler.observe.side_by_side import ask_each
from autoscaler.observe.source import Poll, SourceError

_ACCEPT = "text/plain;version=0.0.4"  # not OpenMetrics, whose times are in other units
_ONE_PAGE = ""  # names the one endpoint where processes have names
_AGGREGATES: Mapping[str, Callable[[Iterable[float]], float]] = {"sum": sum, "max": max, "min": min, "mean": fmean}


@dataclass(frozen=True, slots=True)
class _Share:
    """What one page says of the metric."""

    value: float
    age_seconds: float
    window_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusTextSource:
    """A metric on a page that an exporter or the processes themselves serve.

    A ``gauge`` is read as it is. A ``counter`` becomes a rate per second between two polls, so its first poll has no value; a
    counter that begins again at 0 never gives a negative rate, and a series that appears counts from its second sample on.
    ``labels`` keeps the series that carry them all; what is left is aggregated to one value.

    With ``each_process`` every ready process of ``process_type`` is asked on its own metrics address, all side by side, at the
    path of ``url`` (``/metrics`` without one): a shared port would be answered by a random process. The value aggregates the
    processes that answered, each first over its own series, and ``by_process`` holds their shares. A process that does not
    answer, or whose counter was not seen before, is left out and nothing is made up for it: policies see in ``by_process`` that
    it is missing, and must not scale in for that. If none answers there is no reading. Such a metric does not exist without
    processes, so it can never scale a type from zero.
    """

    metric: Annotated[str, Help("name of the metric on the page, such as http_requests_total")]
    url: Annotated[str | None, Help("address of the page; with each_process only its path counts")] = None
    kind: Annotated[Literal["gauge", "counter"], Help("a counter becomes a rate per second")] = "gauge"
    labels: Annotated[Mapping[str, str], Help("labels that a series must carry to count")] = field(default_factory=dict, hash=False)
    aggregate: Annotated[Literal["sum", "max", "min", "mean"], Help("makes one value of several series or processes")] = "sum"
    each_process: Annotated[bool, Help("asks every process of process_type on its own metrics port")] = False
    process_type: Annotated[str | None, Help("the type whose processes are asked, with each_process")] = None
    _counted: dict[str, Counted] = field(default_factory=dict, init=False, repr=False, compare=False)  # last sample, by process

    def __post_init__(self) -> None:
        """Raise ``ValueError`` unless an address, or each process of a type, is named."""
        if not self.metric.strip():
            raise ValueError("metric is empty; write the name that the page shows")
        if self.url is not None:
            require_url(self.url)
        if self.each_process != (self.process_type is not None):
            raise ValueError("each_process: true and process_type belong together; give both or none")
        if self.url is None and not self.each_process:
            raise ValueError("url is missing; give one, or each_process: true with a process_type")

    @property
    def needs_two_polls(self) -> bool:
        """Whether a value takes two polls: a counter's rate does."""
        return self.kind == "counter"

    @property
    def exists_at_zero(self) -> bool:
        """Whether the metric has a value while no process runs."""
        return not self.each_process

    def read(self, poll: Poll) -> Reading:
        """Return the value now; raise ``SourceError`` when there is none."""
        return self._read_each(poll) if self.each_process else self._read_one(poll)

    def _read_one(self, poll: Poll) -> Reading:
        try:
            answer = ask(self.url or "", poll, Login(), accept=_ACCEPT).checked()
        except HttpError as error:
            raise SourceError(str(error)) from error
        share = self._share(_ONE_PAGE, answer, poll)
        return poll.reading(share.value, age_seconds=share.age_seconds, window_seconds=share.window_seconds)

    def _read_each(self, poll: Poll) -> Reading:
        self._forget_all_but(poll.processes)
        if not poll.processes:
            raise SourceError(f"no process of {self.process_type} is ready")
        answers = ask_each({name: self._page_of(address) for name, address in poll.processes.items()}, poll, _ACCEPT)
        shares, causes = self._shares(answers, poll)
        if not shares:
            raise SourceError(_none_of(causes))
        return poll.reading(
            self._aggregated(share.value for share in shares.values()),
            age_seconds=min(share.age_seconds for share in shares.values()),
            window_seconds=max(share.window_seconds for share in shares.values()),
            by_process={name: share.value for name, share in shares.items()},
        )

    def _forget_all_but(self, processes: Mapping[str, Address]) -> None:
        for name in self._counted.keys() - processes.keys():
            del self._counted[name]

    def _page_of(self, process: Address) -> str:
        parts = urlsplit(self.url or "http://any/metrics")
        return f"{parts.scheme}://{process}{parts.path or '/metrics'}" + (f"?{parts.query}" if parts.query else "")

    def _shares(self, answers: Mapping[str, Answer | SourceError], poll: Poll) -> tuple[dict[str, _Share], dict[str, str]]:
        """Split the processes into those with a share of the metric and those without one, and why."""
        shares: dict[str, _Share] = {}
        causes: dict[str, str] = {}
        for name, answer in answers.items():
            try:
                shares[name] = self._share(name, answer, poll)
            except SourceError as error:
                causes[name] = str(error)
        return shares, causes

    def _share(self, process: str, answer: Answer | SourceError, poll: Poll) -> _Share:
        if isinstance(answer, SourceError):
            raise answer
        samples = samples_of(answer, self.metric, self.labels)
        times = [sample.at for sample in samples if sample.at is not None]
        age = max(0.0, poll.at - max(times)) if times else 0.0
        if self.kind == "gauge":
            return _Share(self._aggregated(sample.value for sample in samples), age, poll.window_seconds)
        return self._rate(process, samples, poll.now - age, age)

    def _rate(self, process: str, samples: list[Sample], at: float, age_seconds: float) -> _Share:
        before = self._counted.get(process)
        after = Counted(at, {sample.labels: sample.value for sample in samples})
        if before is None or before.at < at:
            self._counted[process] = after
        if before is None:
            raise SourceError("first sample of a counter; a rate needs two")
        return _Share(self._aggregated(rates(before, after)), age_seconds, after.at - before.at)

    def _aggregated(self, values: Iterable[float]) -> float:
        return float(_AGGREGATES[self.aggregate](values))


def _none_of(causes: Mapping[str, str]) -> str:
    name, cause = next(iter(causes.items()))
    return f"none of {len(causes)} processes has a value; {name}: {cause}"
