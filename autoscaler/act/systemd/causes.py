"""Put what ssh complains of into words that name the remedy."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

from autoscaler.act.systemd.reach import Reach

# The first that fits what was printed, whatever its order there: the host is {0}.
_CAUSES = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "the host key of {0} has changed; find out why before you replace it in known_hosts"),
    (
        "host key is known for|Host key verification failed",
        "the host key of {0} is not in known_hosts; add it with ssh-keyscan after checking it",
    ),
    (
        r"Permission denied \(|Too many authentication failures",
        "{0} refuses our key; add the public key of the controller's user to authorized_keys there",
    ),
    ("Could not resolve hostname", "the name {0} cannot be resolved; correct it or add it to the name service or the ssh configuration"),
    ("Connection refused", "{0} refuses the connection; is sshd running there?"),
    ("No route to host|Network is unreachable", "there is no way to {0} in the network"),
    ("[Tt]imed out|Timeout, server", "timed out"),
    ("systemd-stdio-bridge: .*not found", "{0} has no systemd-stdio-bridge; is systemd installed there?"),
    (
        "Failed to (start bus client|connect to bus|create bus)|Couldn't connect to bus",
        "there is no bus on {0}; is the package dbus (for a user: dbus-user-session) installed and running there?",
    ),
)


def explain_ssh(host: str, printed: Sequence[str]) -> str:
    """Return why ssh ended: a known complaint by its remedy, else its last line; empty when it printed nothing."""
    text = "\n".join(printed)
    for pattern, cause in _CAUSES:
        if re.search(pattern, text):
            return cause.format(host)
    return f"ssh to {host} ended: {printed[-1]}" if printed else ""


def explain_socket(reach: Reach, path: str, error: OSError) -> str:
    """Return why the bus of this machine does not take us."""
    package = "dbus-user-session" if reach.is_user else "dbus"
    if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ECONNREFUSED}:
        return f"there is no bus at {path}; is the package {package} installed and running?"
    return f"the bus at {path} cannot be opened: {error.strerror or error}"
