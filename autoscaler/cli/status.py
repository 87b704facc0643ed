"""Ask a running controller what it sees and does."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from autoscaler.cli.configuration import config_option, load_and_tell
from autoscaler.cli.failures import CommandError
from autoscaler.cli.pause import describe
from autoscaler.clock import SystemClock
from autoscaler.http_client import HttpError, Login, get
from autoscaler.pauses import find_pauses
from autoscaler.settings import Listen, Settings

if TYPE_CHECKING:
    from rich.table import Table

_TIMEOUT_SECONDS = 5.0
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - asked at, not listened on
_HEADINGS = ("process type", "desired", "running", "target", "limits", "action", "why")
_TOLD_WHEN_ANY = ("starting", "draining", "failed", "unknown")

# Any: the answer of /status, whose shape serve/status.py documents; it may come from another version.
Status = dict[str, Any]


@click.command
@config_option
@click.option("--json", "as_json", is_flag=True, envvar="AUTOSCALER_STATUS_JSON", help="Print the controller's own answer.")
def status(config: str | None, *, as_json: bool) -> None:
    """Show what a running controller sees and does, and which pauses are in force."""
    settings = load_and_tell(config)
    try:
        answer = _ask(settings)
    except HttpError as error:
        _print_pauses(settings)
        raise CommandError(f"no answer from a running controller: {error}") from error
    if as_json:
        click.echo(json.dumps(answer))
    elif sys.stdout.isatty():
        _print_table(answer)
    else:
        click.echo("\n".join(_lines(answer)))


def _ask(settings: Settings) -> Status:
    if settings.listen is None:
        raise HttpError("the configuration says listen: null, so it cannot be asked; name an address such as 127.0.0.1:9797")
    login = Login(token=settings.listen.token) if settings.listen.token else None
    answer = get(_url(settings.listen), timeout_seconds=_TIMEOUT_SECONDS, login=login).checked().json()
    if not isinstance(answer, dict) or not isinstance(answer.get("formation"), dict):
        raise HttpError(f"{settings.listen.address} answers, but is no autoscaler; choose another port under listen:")
    return answer


def _url(listen: Listen) -> str:
    host = _WILDCARDS.get(listen.address.host, listen.address.host)
    bracketed = f"[{host}]" if ":" in host else host
    return f"{'https' if listen.certificate else 'http'}://{bracketed}:{listen.address.port}/status"


def _print_pauses(settings: Settings) -> None:
    """Show what the next controller will hold still: the pauses of the operator and of the configuration."""
    operators = find_pauses(os.environ, settings.formation_name).entries(SystemClock().wall())
    for name, entry in operators.items():
        click.echo(describe(name, entry))
    for one in settings.types:
        if one.pause.scale_out or one.pause.scale_in:
            click.echo(f"{one.name}: paused by the configuration")


def _lines(answer: Status) -> Iterator[str]:
    for name, one in answer["formation"].items():
        counts = one["counts"]
        said = ", ".join(f"{number} {state}" for state, number in counts.items() if number or state == "desired") if counts else "not observed"
        yield f"{name}: {said}; target {_or_unknown(one['target'])} of {one['minimum']} to {one['maximum']}"
        yield from (f"{name}: {remark}" for remark in _remarks(one))
    for name, metric in answer["metrics"].items():
        yield f"metric {name}: {_metric(metric)}"


def _or_unknown(number: int | None) -> str:
    return "?" if number is None else str(number)


def _remarks(one: Status) -> Iterator[str]:
    if one["decision"]:
        yield f"{one['decision']['action']}: {one['decision']['reason']}"
    if one["paused"]:
        yield _paused(one["paused"])
    if one["is_crash_looping"]:
        yield "crash looping"
    if one["error"]:
        yield one["error"]
    yield from one["notes"]


def _paused(pause: Status) -> str:
    what = "paused" if pause["scale_out"] and pause["scale_in"] else "scale-out paused" if pause["scale_out"] else "scale-in paused"
    return f"{what}: {pause['reason']}" if pause["reason"] else what


def _metric(metric: Status) -> str:
    return f"missing: {metric['cause']}" if metric["value"] is None else f"{metric['value']:g}, {metric['age_seconds']:.1f} s old"


def _print_table(answer: Status) -> None:
    from rich.console import Console  # noqa: PLC0415 - takes longer to import than everything else here

    console = Console()
    console.print(_formation_table(answer["formation"]))
    for name, metric in answer["metrics"].items():
        console.print(f"metric {name}: {_metric(metric)}", markup=False, highlight=False)


def _formation_table(formation: dict[str, Status]) -> Table:
    from rich.table import Column, Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(*(Column(heading, no_wrap=heading != "why") for heading in _HEADINGS), box=None, header_style="bold")
    for name, one in formation.items():
        table.add_row(*map(Text, _row(name, one)))
    return table


def _row(name: str, one: Status) -> tuple[str, ...]:
    counts, decision = one["counts"] or {}, one["decision"] or {"action": "?"}
    others = [f"{counts[state]} {state}" for state in _TOLD_WHEN_ANY if counts.get(state)]
    why = "; ".join((*others, *_remarks(one))).replace(f"{decision['action']}: ", "", 1)
    numbers = [_or_unknown(number) for number in (counts.get("desired"), counts.get("running"), one["target"])]
    return (name, *numbers, f"{one['minimum']}-{one['maximum']}", decision["action"], why)
