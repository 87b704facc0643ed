"""Lend the running Prometheus of the sources' tests to those of the loads."""

from tests.observe.test_prometheus_server import server

__all__ = ["server"]
