"""What ssh and sockets complain of comes with its remedy."""

import errno
import os

import pytest

from autoscaler.act.systemd.causes import explain_socket, explain_ssh
from autoscaler.act.systemd.reach import Reach


@pytest.mark.parametrize(
    ("printed", "cause"),
    [
        (
            ["No ED25519 host key is known for app1 and you have requested strict checking.", "Host key verification failed."],
            "the host key of app1 is not in known_hosts",
        ),
        (["@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @", "Host key verification failed."], "the host key of app1 has changed"),
        (["root@app1: Permission denied (publickey)."], "app1 refuses our key"),
        (["ssh: Could not resolve hostname app1: Name or service not known"], "the name app1 cannot be resolved"),
        (["ssh: connect to host app1 port 22: Connection refused"], "app1 refuses the connection"),
        (["ssh: connect to host app1 port 22: Connection timed out"], "timed out"),
        (["Timeout, server app1 not responding."], "timed out"),
        (["ssh: connect to host app1 port 22: No route to host"], "there is no way to app1"),
        (["sh: 1: systemd-stdio-bridge: not found"], "app1 has no systemd-stdio-bridge"),
        (["Failed to start bus client: No such file or directory"], "there is no bus on app1"),
        (["Welcome!", "Something new."], "ssh to app1 ended: Something new."),
        ([], ""),
    ],
)
def test_complaints_of_ssh_are_put_into_words(printed, cause):
    assert explain_ssh("app1", printed).startswith(cause)
    assert bool(cause) == bool(explain_ssh("app1", printed))


@pytest.mark.parametrize(
    ("reach", "number", "cause"),
    [
        (Reach(), errno.ENOENT, "there is no bus at /b; is the package dbus installed and running?"),
        (Reach(is_user=True), errno.ECONNREFUSED, "there is no bus at /b; is the package dbus-user-session installed and running?"),
        (Reach(), errno.EACCES, "the bus at /b cannot be opened: Permission denied"),
    ],
)
def test_a_bus_that_does_not_take_us_is_explained(reach, number, cause):
    assert explain_socket(reach, "/b", OSError(number, os.strerror(number))) == cause
