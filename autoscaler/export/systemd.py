"""Write all files of a formation under systemd."""

from __future__ import annotations

from collections.abc import Mapping

from autoscaler.export.app import CONTROLLER, App, Controller
from autoscaler.export.controller_unit import write_controller_unit, write_polkit_rule, write_sysusers
from autoscaler.export.formation import write_configuration
from autoscaler.export.process_unit import unit_name, write_process_unit, write_socket_unit

CONFIGURATION = f"{CONTROLLER}.yaml"
SYSUSERS = f"{CONTROLLER}.sysusers.conf"

_TARGET = """\
# All processes of {app} together: `systemctl restart {app}.target` restarts those that run, after a deploy, and `systemctl stop`
# stops them, after the controller: systemctl stop autoscaler. It starts none: how many run is the controller's to say.
[Unit]
Description={app}, all processes
"""


def write_systemd(app: App, controller: Controller, *, has_configuration: bool) -> Mapping[str, str]:
    """Return the text of each file by its name; a configuration only where there is none yet.

    The app must be without mistakes, as ``find_mistakes`` knows them.
    """
    files = {f"{unit_name(app, each)}@.service": write_process_unit(app, index) for index, each in enumerate(app.types)}
    files |= {f"{unit_name(app, each)}.socket": write_socket_unit(app, each) for each in app.types if each.socket == "shared"}
    files |= {target_name(app): _TARGET.format(app=app.name), f"{CONTROLLER}.service": write_controller_unit(app, controller)}
    if not app.is_for_user:
        files |= {SYSUSERS: write_sysusers(), polkit_name(app): write_polkit_rule(app)}
    return files if has_configuration else {**files, CONFIGURATION: write_configuration(app)}


def target_name(app: App) -> str:
    """Name the unit of all processes."""
    return f"{app.name}.target"


def polkit_name(app: App) -> str:
    """Name the rule of the controller's rights."""
    return f"50-{app.name}-{CONTROLLER}.rules"
