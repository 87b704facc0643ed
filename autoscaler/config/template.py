"""Write a commented configuration to begin with."""

from __future__ import annotations

import re
from collections.abc import Iterable

_COLUMN = 38  # comments begin here where there is room

_HEAD = """\
# The configuration of the autoscaler: how many processes of each type run, and why. Check it with: autoscaler check
# Keys that begin with # show other values than the default, or what is optional; remove the # to use them.
# Durations are written 500ms, 30s, 5m, 1h, 1d. ${NAME} and ${NAME:-default} come from the environment ($${NAME} stays as it is).

interval: 5s                         # time between two decisions
listen: 127.0.0.1:9797               # /metrics, /-/healthy, /-/ready and /status are served here; null: nowhere
#listen_token: ${AUTOSCALER_TOKEN}   # bearer token of whoever asks; needed, or TLS, when others than this machine can reach it
#listen_certificate: tls/public.pem  # TLS: the certificate, from the folder of this file
#listen_key: tls/private.pem         # TLS: its key

backend: {local: {procfile: Procfile}}   # what starts and stops the processes; dry_run only tells what it would do
#total: 20                           # the most processes of all types together, those that drain included
#preempt: true                       # types of a lower priority make room for those of a higher one
# Several backends: `backends: {here: {local: {}}, nowhere: {dry_run: {}}}` in place of `backend`, and `backend: here` in each type.

"""

_METRICS = """\
# What is read, by name. A metric has one source (prometheus, prometheus_text, http_json, sql, command, file), and beside it:
#   every: 5s      time between two polls
#   max_age: 15s   age at which a reading counts as missing; three times every, and at least 15s, when left out
#   timeout: 5s    time within which a poll must be answered
#   window: 1m     span that the source averages over, such as that of a rate(x[1m])
#   alive: 'min(up{job="web"})'   a query of the prometheus source; when it gives 0 or nothing, the metric is missing
metrics:
"""

_WEB_METRIC = """\
  {name}_requests:                   # requests a second: the page of every {name} process is read on its own METRICS_PORT
    prometheus_text: {{metric: http_requests_total, kind: counter, each_process: true, process_type: {name}}}
    every: 5s
"""

_JOB_METRICS = """\
  {name}_waiting:                    # jobs that wait; a missing database or table holds the formation as it is
    sql: {{url: "sqlite:///jobs.db", query: "select count(*) from jobs where queue = '{name}' and state = 'waiting'"}}
    every: 2s
  {name}_running:                    # jobs being worked on, so that no process is stopped that is needed
    sql: {{url: "sqlite:///jobs.db", query: "select count(*) from jobs where queue = '{name}' and state = 'running'"}}
    every: 2s
"""

_DEFAULTS = """
# What holds for every process type that does not say otherwise. These are the defaults.
defaults:
  combine: max                       # of several policies the largest number counts; or min, sum, first
  scale_out:                         # adding processes
    stabilization: 0s                # only as many as every decision of this time wanted
    cooldown: 0s                     # the pause after adding
    at_most: [4 per 15s, 100% per 15s]
    select: max                      # of the limits above the wider counts; min: the narrower; disabled: nothing is added
  scale_in:                          # removing processes
    stabilization: 5m                # only when no decision of this time wanted more
    cooldown: 0s
    at_most: [25% per 1m]            # at least one process
    select: max
"""

_FORMATION = """
# The process types by name, as in the Procfile. `maximum` has no default: say what the machine carries.
# A type that must never run twice, such as a clock, has `singleton: true` in place of limits.
formation:
"""

_TYPE = """\
  {name}:
    minimum: 1                       # never fewer
    maximum: {maximum}                       # never more
"""

_WEB = """\
    socket: port                     # each process listens on its own PORT; shared: one socket for all; none
    #listen: 127.0.0.1:8000          # with socket: shared, the address of the one socket
    ready: port                      # a process is ready when it accepts connections; lived: when it keeps running; notify: when it says so
    #startup: 4s                     # from start to ready; measured when left out
    stop_timeout: 10s                # TERM, then this long to finish, then KILL
    #memory: 512M                    # what one process needs: none is started beyond what the machine has free
    #priority: 10                    # with total: the higher comes first; weight: 2 has a double share among equals
    #schedule: {{timezone: Europe/Budapest, windows: [{{cron: "0 8 * * 1-5", for: 10h, minimum: 2}}]}}   # other limits for a while
    policies:                        # how many are needed
      - target: {{metric: {name}_requests, per_process: 50}}   # one process for every 50 requests a second
        when_missing: hold           # without the metric nothing changes; or {{processes: 2}}, {{at_least: 2}}
"""

_JOBS = """\
    slots: 1                         # jobs that one process works on at a time
    stop_timeout: 1m                 # longer than a job takes: TERM, then this long to finish, then KILL
    #environment: {{LOG_LEVEL: info}}  # variables of the processes, beside those of the autoscaler itself
    #futility: stop                  # add nothing while more complete no more jobs; needs `completions` or `arrival` in backlog
    #pause: maintenance until noon   # change nothing; also true, pause_scale_out and pause_scale_in
    policies:
      - backlog: {{waiting: {name}_waiting, busy: {name}_running, job_takes: 1s, clear_within: 1m}}
"""

_FIXED = """\
    singleton: true                  # never two, not even while one drains
    stop_timeout: 10s                # no policies: the minimum runs
"""

_RELEASE = """\
  # {name} is left out: a release phase runs before a deploy, and is no process of the formation
"""

_COMMAND = """\
    command: {command}
"""

_EXAMPLES = {
    "web": "python3 -m http.server --bind 127.0.0.1 $PORT  # put your own here; left out: the Procfile's line of this name",
    "worker": "sleep 1000000  # put your own here",
}
_SINGLE = ("clock", "beat", "scheduler", "cron")  # they hold a schedule or an election of their own
_NO_PROCESS = ("release",)
_WEB_NAMES = ("web", "api", "http", "server")


def init_text(types: Iterable[str] = ()) -> str:
    """Write a file for these process types of a Procfile; without any, for a ``web`` and a ``worker`` with commands of their own."""
    names = tuple(types)
    commands = {} if names else _EXAMPLES
    metrics = "".join(_metrics(name) for name in names or commands)
    formation = "".join(_type(name, commands.get(name)) for name in names or commands)
    return _align(_HEAD + (_METRICS + metrics if metrics else "") + _DEFAULTS + _FORMATION + formation)


def _align(text: str) -> str:
    """Begin the comments behind values in one column."""
    return re.sub(r"(?m)^( *#?[a-z-].*?) {2,}# ", lambda line: f"{line[1]:<{_COLUMN}}  # ", text)


def _metrics(name: str) -> str:
    if name in _SINGLE or name in _NO_PROCESS:
        return ""
    return (_WEB_METRIC if name in _WEB_NAMES else _JOB_METRICS).format(name=name)


def _type(name: str, command: str | None) -> str:
    if name in _NO_PROCESS:
        return _RELEASE.format(name=name)
    maximum = 1 if name in _SINGLE else 4
    keys = _FIXED if name in _SINGLE else _WEB if name in _WEB_NAMES else _JOBS
    said = _COMMAND.format(command=command) if command else ""
    return _TYPE.format(name=name, maximum=maximum) + said + keys.format(name=name)


TEMPLATE = init_text()
