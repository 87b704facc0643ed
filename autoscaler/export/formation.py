"""Write a configuration for production: the formation by the systemd backend, to add policies to."""

from __future__ import annotations

from autoscaler.export.app import App
from autoscaler.model import ProcessType

_HEAD = """\
# The formation of {app} under systemd. Check it with: autoscaler check; what more can stand here: autoscaler init
interval: 5s
listen: 127.0.0.1:9797   # /metrics, /-/healthy, /-/ready and /status
{backend}

# Without policies the minimum runs. A type grows with its load once it has a metric and a policy, such as:
# metrics:
#   jobs_waiting: {{sql: {{url: sqlite:////srv/{app}/jobs.db, query: "select count(*) from jobs where state = 'waiting'"}}, every: 2s}}
# formation:
#   worker:
#     policies: [{{backlog: {{waiting: jobs_waiting, job_takes: 1s, clear_within: 1m}}}}]
formation:
"""
_TYPE = """\
  {name}:
    minimum: {minimum}
    maximum: {maximum}
"""
_SINGLETON = """\
  {name}:
    singleton: true   # never two, not even while one drains
"""


def write_configuration(app: App) -> str:
    """Write a configuration that passes ``autoscaler check``, with the limits of every type."""
    return _HEAD.format(app=app.name, backend=write_backend(app)) + "".join(map(_type, app.types))


def write_backend(app: App) -> str:
    """Write the line that has the exported units scaled."""
    unlike_the_default = {
        "unit": f'"{unit_pattern(app)}"' if app.name != "app" else "",
        "user": "true" if app.is_for_user else "",
        "metrics_port": str(app.metrics_port),
    }
    keys = ", ".join(f"{key}: {value}" for key, value in unlike_the_default.items() if value)
    return f"backend: {{systemd: {{{keys}}}}}"


def unit_pattern(app: App) -> str:
    """Return how the backend is told the names of the units."""
    return f"{app.name}-{{type}}@{{n}}.service"


def _type(process_type: ProcessType) -> str:
    layout = _SINGLETON if process_type.is_singleton else _TYPE
    return layout.format(name=process_type.name, minimum=process_type.minimum, maximum=process_type.maximum)
