"""Run the formation by any other HTTP API, as its configuration describes it."""

from autoscaler.act.http.plugin import Http

__all__ = ["Http"]
