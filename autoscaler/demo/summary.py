"""Tell how the demo went, as one JSON object or as sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from autoscaler.demo.chart import draw_chart
from autoscaler.demo.usage import Moment, Usage, usage_of
from autoscaler.demo.waits import Waits
from autoscaler.model import Json

_MOST_FAILED_SHARE = 0.05
_FIRST_SIZE = 1  # the minimum, which is reached without any load


@dataclass(frozen=True, slots=True)
class Served:
    """What the processes did for those who asked."""

    jobs_done: int
    job_wait: Waits  # from enqueue to start
    requests_answered: int
    requests_failed: int
    response: Waits


@dataclass(frozen=True, slots=True)
class Summary:
    """One run of the demo from its first to its last tick."""

    seconds: float
    ended: float  # monotonic seconds
    moments: Mapping[str, tuple[Moment, ...]]  # by process type
    served: Served
    children_left: int
    interrupted: bool = False
    faults: tuple[str, ...] = field(default=())  # what went wrong on the way, in sentences

    def usages(self) -> dict[str, Usage]:
        """Return what each process type used."""
        return {name: usage_of(moments, self.ended) for name, moments in self.moments.items()}

    def failures(self) -> tuple[str, ...]:
        """Name everything that did not go as the demo promises, each in a sentence."""
        left = (f"{self.children_left} processes outlived the demo",) if self.children_left else ()
        return (*self.faults, *left) if self.interrupted else (*self.faults, *left, *self._unserved(), *self._unscaled())

    def _unserved(self) -> tuple[str, ...]:
        served = self.served
        failed = served.requests_failed > _MOST_FAILED_SHARE * (served.requests_answered + served.requests_failed)
        sentences = [f"{served.requests_failed} web requests failed and {served.requests_answered} were answered"] if failed else []
        return tuple(sentences if served.jobs_done else [*sentences, "no job was done"])

    def _unscaled(self) -> tuple[str, ...]:
        usages = self.usages()
        outs = [f"{name} was never scaled out" for name, usage in usages.items() if usage.peak <= _FIRST_SIZE]
        ins = [f"{name} was never scaled in" for name, usage in usages.items() if not usage.scale_ins]
        return (*outs, *ins)

    def as_json(self) -> dict[str, Json]:
        """Return the summary line of ``demo --json``."""
        types: dict[str, Json] = {name: asdict(usage) for name, usage in self.usages().items()}
        served = self.served
        return {
            "event": "summary",
            "seconds": round(self.seconds, 3),
            "types": types,
            "jobs_done": served.jobs_done,
            "job_wait_seconds": asdict(served.job_wait),
            "requests_answered": served.requests_answered,
            "requests_failed": served.requests_failed,
            "response_seconds": asdict(served.response),
            "children_left": self.children_left,
        }

    def as_lines(self, mark: str) -> list[str]:
        """Write the end of the demo for people; ``mark`` draws one process in the charts."""
        lines: list[str] = []
        for name, moments in self.moments.items():
            lines += ["", f"{name}: processes over {self.seconds:.0f} s", *draw_chart(moments, self.ended, mark)]
        return [*lines, "", *self._results(), *(f"failed: {failure}" for failure in self.failures())]

    def _results(self) -> list[str]:
        served = self.served
        return [
            f"jobs done          {served.jobs_done}, waited {served.job_wait}",
            f"requests answered  {served.requests_answered} of {served.requests_answered + served.requests_failed}, took {served.response}",
            *(_cost(name, usage) for name, usage in self.usages().items()),
            "processes left     none: nothing is left running" if not self.children_left else f"processes left     {self.children_left}",
        ]


def _cost(name: str, usage: Usage) -> str:
    saved = 100 * (1 - usage.process_seconds / usage.fixed_process_seconds) if usage.fixed_process_seconds else 0.0
    used = f"{name + ' used':<18} {usage.process_seconds:.0f} process-seconds"
    return f"{used}; a fixed formation of its peak, {usage.peak}, uses {usage.fixed_process_seconds:.0f}: {saved:.0f} % saved"
