"""Ask HTTP servers with one hard deadline for the whole answer; the only user of requests."""

from autoscaler.http_client.answer import Answer, HttpError, UnclearError, is_printable_ascii
from autoscaler.http_client.connections import LARGEST_BODY, Connections, Request, Tls, host_of
from autoscaler.http_client.getting import Login, get

__all__ = ["LARGEST_BODY", "Answer", "Connections", "HttpError", "Login", "Request", "Tls", "UnclearError", "get", "host_of", "is_printable_ascii"]
