"""Check the keys of one process type against each other."""

from __future__ import annotations

from autoscaler.config.part import Part
from autoscaler.config.schema import TypeSection
from autoscaler.config.wording import show

_GIVEN = ("PORT", "PS", "METRICS_PORT", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET")
_FLAGS = ("", "yes", "no", "on", "off", "true", "false", "y", "n")


def check_type(section: TypeSection, own: TypeSection, part: Part) -> None:
    """Report what does not fit together in ``section``, of which the type itself says ``own``."""
    _check_limits(section, own, part)
    _check_socket(section, part)
    if section.singleton and section.maximum is not None and section.maximum > 1:
        most = part.shown("maximum", section.maximum)
        part.report.at_key((*part.path, "singleton"), f"a singleton never runs twice, and maximum is {most}; make it 1, or remove singleton")
    _check_environment(own, part)
    for key in ("pause", "pause_scale_out", "pause_scale_in"):
        said = getattr(own, key)
        if isinstance(said, str) and said.lower() in _FLAGS:
            part.report.at_value(
                (*part.path, key), f"{show(part.under(key).data)} is text and would be taken for a reason; write true, false, or a reason"
            )


def _check_limits(section: TypeSection, own: TypeSection, part: Part) -> None:
    minimum, maximum, report = section.minimum, section.maximum, part.report
    if maximum is None:
        if not _is_wrong(part, "maximum"):
            report.missing((*part.path, "maximum"), "missing; add maximum, the most processes that may ever run")
        return
    if minimum is None and _is_wrong(part, "minimum"):
        return
    if (1 if minimum is None else minimum) <= maximum:
        return
    least, most = part.shown("minimum", minimum), part.shown("maximum", maximum)
    if own.minimum is not None or own.maximum is None:
        report.at_value((*part.path, "minimum"), f"{least} is above maximum {most}; lower one of them")
    else:
        report.at_value((*part.path, "maximum"), f"{most} is below minimum {least} of the defaults; raise it, or give the type a minimum")


def _check_environment(own: TypeSection, part: Part) -> None:
    for name in own.environment or {}:
        if not name or "=" in name or "\0" in name:
            part.report.at_key((*part.path, "environment", name), f"{name!r} is no name of a variable; write a name such as LOG_LEVEL")
        elif name in _GIVEN:
            part.report.at_key((*part.path, "environment", name), f"{name} is set by the autoscaler for each process; remove it here")


def _is_wrong(part: Part, key: str) -> bool:
    return part.report.is_wrong((*part.path, key)) or part.report.is_wrong(("defaults", key)) or part.report.is_wrong(part.path)


def _check_socket(section: TypeSection, part: Part) -> None:
    if _is_wrong(part, "listen") or _is_wrong(part, "socket"):
        return
    if section.socket == "shared" and section.listen is None:
        part.report.missing((*part.path, "listen"), "missing; a shared socket needs an address, such as listen: 127.0.0.1:8000")
    if section.socket != "shared" and section.listen is not None:
        listen = part.shown("listen", section.listen)
        part.report.at_key((*part.path, "listen"), f"only a shared socket has an address; add socket: shared, or remove listen: {listen}")
