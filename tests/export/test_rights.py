"""The controller as a service of a whole host: its own user, all its hardening, and the rights of its rule alone."""

import pytest

from autoscaler.export.app import Controller
from autoscaler.export.systemd import write_systemd
from tests.systemd_app import install_autoscaler
from tests.systemd_hosts import Host
from tests.systemd_machines import missing, switched_on

pytestmark = pytest.mark.server

_SLEEPER = "[Service]\nExecStart=sleep 1000\n"
_AS_CONTROLLER = ("setpriv", "--reuid=autoscaler", "--regid=autoscaler", "--clear-groups", "systemctl", "--no-ask-password")

_REFUSED = ("start other", "start app-other@1", "restart app-web@7", "kill app-web@7", "enable app-web@7", "daemon-reload")


@pytest.fixture
def host(make_app):
    """A host with the exported units of an app, installed as the command says, and a Python that every user may run."""
    if reason := missing():
        pytest.skip(reason)
    machine = Host()
    with switched_on(machine):
        install_autoscaler(machine)
        controller = Controller(program=("/opt/autoscaler/bin/autoscaler",), configuration="/etc/autoscaler/autoscaler.yaml")
        app = make_app(web="exec sleep 1000", user="nobody", directory="/srv")
        files = write_systemd(app, controller, has_configuration=False)
        for name in ("app-web@.service", "app.target", "autoscaler.service"):
            machine.write(name, files[name], reload=False)
        (machine.folder / "files").mkdir()
        for name, text in files.items():
            (machine.folder / "files" / name).write_text(text)
        machine.run("install", "-D", "-m", "0644", machine.folder / "files/autoscaler.sysusers.conf", "/etc/sysusers.d/autoscaler.conf")
        machine.run("install", "-D", "-m", "0644", machine.folder / "files/autoscaler.yaml", "/etc/autoscaler/autoscaler.yaml")
        machine.run("systemd-sysusers", "/etc/sysusers.d/autoscaler.conf")
        machine.write_polkit_rules("50-app-autoscaler.rules", files["50-app-autoscaler.rules"])
        machine.systemctl("daemon-reload")
        yield machine


def test_the_controller_may_act_on_its_units_and_on_nothing_else(host):
    for unit in ("other.service", "app-other@.service"):
        host.write(unit, _SLEEPER)

    host.run(*_AS_CONTROLLER, "start", "app-web@7.service")
    host.run(*_AS_CONTROLLER, "reset-failed", "app-web@7.service")
    for refused in _REFUSED:
        with pytest.raises(AssertionError, match=r"(?i)authentication required|access denied"):
            host.run(*_AS_CONTROLLER, *refused.split())
    host.run(*_AS_CONTROLLER, "stop", "app-web@7.service")


def test_the_hardened_controller_scales_its_formation(host, eventually):
    host.systemctl("start", "autoscaler.service")

    eventually(lambda: host.active("app-web@*") == ["app-web@1.service"])
    assert host.properties("autoscaler.service", "NRestarts", "User") == {"NRestarts": "0", "User": "autoscaler"}
