"""The waiting of a queue with several servers, by the formulas of Erlang, Cooper and Allen and Cunneen."""

from __future__ import annotations

import math
from collections.abc import Iterator

# Offered loads are arrivals a second x seconds of service: the servers that are busy on average (in erlangs).


def erlang_b(servers: int, offered: float) -> float:
    """Return the share of arrivals that find all servers busy when nobody waits, in M/G/s/s (Erlang 1917).

    1 / B is summed from its largest factors down, ``1 + s/a + s(s-1)/a^2 + ...`` (Jagerman 1974): all terms are positive, and
    near full load about 9 x sqrt(a) of them count.
    """
    if offered <= 0:
        return 0.0 if servers else 1.0
    total = term = 1.0
    for left in range(servers, 0, -1):
        term *= left / offered
        total += term
        if term < total * 1e-17 and left < offered:
            break
        if total == math.inf:
            return 0.0
    return 1.0 / total


def erlang_c(servers: int, offered: float) -> float:
    """Return the share of arrivals that must wait at all, in M/M/s (Erlang 1917); 1 when the servers cannot keep up."""
    return _c_of_b(servers, offered, erlang_b(servers, offered))


def waiting_tail(servers: int, offered: float, wait_services: float, variability: float = 1.0) -> float:
    """Return the share of arrivals that wait longer than ``wait_services`` service times (Cooper 1981, section 3.5).

    ``P(W > t) = C(s, a) exp(-(s - a) t / S)`` is exact for M/M/s; for other variability the exponent is divided by it (Allen 1990,
    with the mean wait of Allen and Cunneen).
    """
    return _tail_of_c(servers - offered, erlang_c(servers, offered), wait_services, variability)


def variability_of(arrival_scv: float, service_scv: float) -> float:
    """Return how much longer than in M/M/s one waits: the mean of both squared coefficients of variation (Allen 1990)."""
    return (arrival_scv + service_scv) / 2


def mean_wait(servers: int, offered: float, service_seconds: float, variability: float = 1.0) -> float:
    """Return the mean seconds in the queue, infinite when the servers cannot keep up.

    ``C(s, a) S / (s - a)``, times the variability (Allen 1990); exact for M/M/s, and for M/G/1 (Pollaczek 1930, Khinchine 1932).
    """
    if servers <= offered:
        return math.inf
    return variability * erlang_c(servers, offered) * service_seconds / (servers - offered)


def wait_quantile(servers: int, offered: float, service_seconds: float, share: float, variability: float = 1.0) -> float:
    """Return the seconds in the queue that ``share`` (0 to 1) of the arrivals do not exceed: the inverse of ``waiting_tail``."""
    if servers <= offered:
        return math.inf
    waiting = erlang_c(servers, offered)
    if waiting <= 1 - share:
        return 0.0
    return variability * service_seconds * math.log(waiting / (1 - share)) / (servers - offered)


def waiting_tails(offered: float, first: int, every: int, wait_services: float, variability: float) -> Iterator[float]:
    """Return ``waiting_tail`` for ``first`` servers, which keep up, and for ``every`` more each time, without end."""
    servers, blocked = first, erlang_b(first, offered)
    while True:
        yield _tail_of_c(servers - offered, _c_of_b(servers, offered, blocked), wait_services, variability)
        for servers in range(servers + 1, servers + every + 1):  # noqa: B020 - the last one is where the next round begins
            blocked = offered * blocked / (servers + offered * blocked)


def _c_of_b(servers: int, offered: float, blocked: float) -> float:
    if servers <= offered:
        return 1.0
    return blocked / (1 - (offered / servers) * (1 - blocked))


def _tail_of_c(spare: float, waiting: float, wait_services: float, variability: float) -> float:
    """Return the share that waits longer; ``spare`` servers are not busy on average."""
    if spare <= 0:
        return 1.0
    if variability == 0:
        return 0.0
    return waiting * math.exp(-spare * wait_services / variability)
