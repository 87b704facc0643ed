"""Name the calls that a bus and systemd understand."""

from __future__ import annotations

from collections.abc import Sequence

from jeepney.wrappers import DBusAddress

from autoscaler.act.systemd.decoding import path_of_unit
from autoscaler.act.systemd.wire import Call

SYSTEMD = "org.freedesktop.systemd1"
BUS = "org.freedesktop.DBus"
MANAGER_PATH = "/org/freedesktop/systemd1"
UNIT = f"{SYSTEMD}.Unit"
SERVICE = f"{SYSTEMD}.Service"
GOODBYES = ("shutdown.target", "exit.target", "poweroff.target", "reboot.target", "halt.target", "soft-reboot.target", "kexec.target")

_BUS = DBusAddress("/org/freedesktop/DBus", BUS, BUS)
_MANAGER = DBusAddress(MANAGER_PATH, SYSTEMD, f"{SYSTEMD}.Manager")
# The sender matters: on the system's bus every user may send a signal that looks like systemd's.
_FROM_MANAGER = f"type='signal',sender='{SYSTEMD}',path='{MANAGER_PATH}',interface='{SYSTEMD}.Manager'"
_PROPERTIES = f"type='signal',sender='{SYSTEMD}',interface='{BUS}.Properties',member='PropertiesChanged',path_namespace='{MANAGER_PATH}/unit'"
_MATCHES = (
    *(f"{_FROM_MANAGER},member='{member}'" for member in ("JobRemoved", "UnitRemoved", "Reloading", "UnitFilesChanged")),
    *(f"{_FROM_MANAGER},member='JobNew',arg2='{target}'" for target in GOODBYES),
    *(f"{_PROPERTIES},arg0='{interface}'" for interface in (UNIT, SERVICE)),
    f"type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{SYSTEMD}'",
)

HELLO = Call(_BUS, "Hello", answers="s")
FOLLOW = tuple(Call(_BUS, "AddMatch", "s", (rule,)) for rule in _MATCHES)
NAME_OWNER = Call(_BUS, "GetNameOwner", "s", (SYSTEMD,), answers="s")
SUBSCRIBE = Call(_MANAGER, "Subscribe")
BOOT = Call(DBusAddress(MANAGER_PATH, SYSTEMD, f"{BUS}.Properties"), "Get", "ss", (f"{SYSTEMD}.Manager", "UserspaceTimestamp"), answers="v")


def list_units(globs: Sequence[str]) -> Call:
    """Ask for the loaded units that match; no glob matches nothing."""
    return Call(_MANAGER, "ListUnitsByPatterns", "asas", ([], list(globs) or [""]), answers="a(ssssssouso)")


def list_unit_files(globs: Sequence[str]) -> Call:
    """Ask for the unit files that match, and for the templates of those units."""
    templates = [f"{glob.partition('@')[0]}@.{glob.rpartition('.')[2]}" for glob in globs if "@" in glob]
    return Call(_MANAGER, "ListUnitFilesByPatterns", "asas", ([], [*globs, *templates] or [""]), answers="a(ss)")


def get_property(unit: str, interface: str, name: str) -> Call:
    """Ask for one property of a unit."""
    return Call(DBusAddress(path_of_unit(unit), SYSTEMD, f"{BUS}.Properties"), "Get", "ss", (interface, name), answers="v")


def get_job_type(job: str) -> Call:
    """Ask for the type of a job by its object path."""
    return Call(DBusAddress(job, SYSTEMD, f"{BUS}.Properties"), "Get", "ss", (f"{SYSTEMD}.Job", "JobType"), answers="v")


def start_unit(unit: str) -> Call:
    """Queue a start job, unless it conflicts with another job."""
    return Call(_MANAGER, "StartUnit", "ss", (unit, "fail"), answers="o")


def stop_unit(unit: str) -> Call:
    """Queue a stop job in place of any other."""
    return Call(_MANAGER, "StopUnit", "ss", (unit, "replace"), answers="o")


def reset_failed(unit: str) -> Call:
    """Make systemd forget that the unit failed, and how often it was started."""
    return Call(_MANAGER, "ResetFailedUnit", "s", (unit,))


def enable(unit: str) -> Call:
    """Have the unit started at boot."""
    return Call(_MANAGER, "EnableUnitFiles", "asbb", ([unit], False, False), answers="ba(sss)")


def disable(unit: str) -> Call:
    """Have the unit started at boot no more."""
    return Call(_MANAGER, "DisableUnitFiles", "asb", ([unit], False), answers="a(sss)")
