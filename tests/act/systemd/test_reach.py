"""Each systemd is reached by its own bus, or by an ssh that asks nobody and checks the host's key."""

import pytest

from autoscaler.act.systemd.reach import Reach, UnreachableError


def test_the_system_is_reached_by_its_bus():
    assert Reach().bus_path({}) == "/run/dbus/system_bus_socket"


def test_an_address_of_the_system_bus_is_followed():
    assert Reach().bus_path({"DBUS_SYSTEM_BUS_ADDRESS": "tcp:host=a;unix:path=/srv/my%20bus,guid=1"}) == "/srv/my bus"


def test_an_address_without_a_path_is_refused():
    with pytest.raises(UnreachableError, match="DBUS_SYSTEM_BUS_ADDRESS is unix:abstract=x, and only unix:path="):
        Reach().bus_path({"DBUS_SYSTEM_BUS_ADDRESS": "unix:abstract=x"})


def test_a_user_is_reached_in_the_runtime_folder():
    assert Reach(is_user=True).bus_path({"XDG_RUNTIME_DIR": "/run/user/7"}) == "/run/user/7/bus"


def test_a_user_without_a_runtime_folder_is_told_so():
    with pytest.raises(UnreachableError, match="XDG_RUNTIME_DIR is not set"):
        Reach(is_user=True).bus_path({})


def test_ssh_asks_nobody_and_checks_the_key():
    command = Reach(host="app1", ssh_config="/etc/ours").ssh_command()

    assert command[:3] == ["ssh", "-F", "/etc/ours"]
    assert {"BatchMode=yes", "StrictHostKeyChecking=yes", "PermitLocalCommand=no"} <= set(command)
    assert command[-2:] == ["app1", "exec sh -c 'exec systemd-stdio-bridge'"]


def test_a_host_named_like_an_option_is_none():
    command = Reach(host="-oProxyCommand=reboot").ssh_command()

    assert command[-3:-1] == ["--", "-oProxyCommand=reboot"]


def test_the_bus_of_a_user_is_found_on_the_host_itself():
    assert '-p "unix:path=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/bus"' in Reach(host="app1", is_user=True).ssh_command()[-1]


def test_memory_is_sent_beside_the_bus():
    assert "while grep MemAvailable: /proc/meminfo >&2" in Reach(host="app1", wants_memory=True).ssh_command()[-1]
