"""Read addresses to listen on such as ``127.0.0.1:8000`` and ``[::1]:8000``."""

from __future__ import annotations

import ipaddress
import re

from pydantic import ValidationInfo

from autoscaler.config.readers import read_text, rejected, typed
from autoscaler.config.wording import show, unlike
from autoscaler.model import Address

PATTERN = r"(\[[0-9A-Fa-f:.%a-z]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}"
_ADDRESS = re.compile(r"(\[(?P<six>[^\[\]]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65535
_EXAMPLE = "a host and a port such as 127.0.0.1:8000"


def read_address(value: object, info: ValidationInfo) -> Address:
    """Read a host and a port; port 0 stands for any free one."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise rejected(f"{show(value)} has no host; write 127.0.0.1:{show(value)} for this machine alone")
    if not isinstance(value, str):
        raise rejected(unlike(value, "an address", _EXAMPLE))
    text = read_text(value, info)
    if isinstance(typed(value), int):
        raise rejected(f"{show(value)} has no host; write {_EXAMPLE}")
    found = _ADDRESS.fullmatch(text)
    if found is None:
        brackets = "; an IPv6 host needs brackets, as in '[::1]:8000'" if text.count(":") > 1 else ""
        raise rejected(f"{show(value)} is not an address; write {_EXAMPLE}{brackets}")
    if int(found["port"]) > _HIGHEST_PORT:
        raise rejected(f"{show(value)} has a port above {_HIGHEST_PORT}; write a lower one")
    if found["six"] and not _is_ipv6(found["six"]):
        raise rejected(f"{show(value)} holds no IPv6 host in its brackets; write it such as '[::1]:8000'")
    return Address(found["six"] or found["host"], int(found["port"]))


def is_loopback(address: Address) -> bool:
    """Tell whether only this machine reaches the address."""
    if address.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.host).is_loopback
    except ValueError:
        return False


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True
