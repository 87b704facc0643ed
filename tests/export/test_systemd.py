"""The text of the exported files."""

import pytest

from autoscaler.export.app import find_mistakes
from autoscaler.export.process_unit import write_process_unit
from autoscaler.export.systemd import write_systemd
from autoscaler.model import Address, ProcessType


def _type(**values):
    return ProcessType(**{"name": "web", "minimum": 1, "maximum": 4, "command": "server", **values})


def test_all_files_of_a_formation_are_written(make_app, controller):
    files = write_systemd(make_app(web="server", worker="work"), controller, has_configuration=False)

    assert list(files) == [
        "app-web@.service",
        "app-worker@.service",
        "app.target",
        "autoscaler.service",
        "autoscaler.sysusers.conf",
        "50-app-autoscaler.rules",
        "autoscaler.yaml",
    ]


def test_the_own_manager_of_a_user_needs_no_rights_and_no_user(make_app, controller):
    files = write_systemd(make_app(user=None, web="server"), controller, has_configuration=True)

    assert list(files) == ["app-web@.service", "app.target", "autoscaler.service"]
    assert [name for name, text in files.items() if "\nUser=" in text or "multi-user.target" in text or "ProtectSystem" in text] == []


def test_ports_are_counted_as_with_foreman(make_app):
    unit = write_process_unit(make_app(web="server", worker="work"), 1)

    assert "export PORT=$$((5100+%i-1)) METRICS_PORT=$$((15100+%i-1)); exec work'" in unit
    assert "\nEnvironment=PS=worker.%i\n" in unit


def test_a_command_is_quoted_for_systemd(make_app):
    unit = write_process_unit(make_app(web="""run '%d' "$A" \\x é\tz"""), 0)

    assert """exec run \\'%%d\\' "$$A" \\\\x é\\tz'\n""" in unit


@pytest.mark.parametrize(
    ("command", "kill_mode"),
    [
        ("server --port $PORT", "mixed"),
        ("A=1 server", "mixed"),
        ("cd lib && exec server", "mixed"),
        ("cd lib && server", "control-group"),
        ("server | tee log", "control-group"),
        ("a; exec b || c", "control-group"),
    ],
)
def test_term_goes_to_the_program_itself_where_it_takes_the_place_of_the_shell(make_app, command, kill_mode):
    assert f"\nKillMode={kill_mode}\n" in write_process_unit(make_app(web=command), 0)


@pytest.mark.parametrize(("seconds", "written"), [(0.0, "1ms"), (0.5, "500ms"), (10.0, "10s"), (600.0, "600s")])
def test_a_process_has_its_stop_timeout_to_drain(make_app, seconds, written):
    assert f"\nTimeoutStopSec={written}\n" in write_process_unit(make_app(_type(stop_timeout_seconds=seconds)), 0)


def test_a_process_that_tells_when_it_is_ready_is_waited_for(make_app):
    unit = write_process_unit(make_app(_type(ready="notify", startup_seconds=30.0)), 0)

    assert "\nType=notify\n" in unit
    assert "\nNotifyAccess=main\nTimeoutStartSec=90s\n" in unit


def test_a_shared_socket_is_a_unit_that_all_processes_take_part_in(make_app, controller):
    files = write_systemd(make_app(_type(socket="shared", listen=Address("::1", 80))), controller, has_configuration=True)

    assert "\nListenStream=[::1]:80\nService=app-web@1.service\n" in files["app-web.socket"]
    assert "\nSockets=app-web.socket\n" in files["app-web@.service"]


def test_an_app_below_usr_stays_writable(make_app):
    assert "\nReadWritePaths=-/usr/src/app\n" in write_process_unit(make_app(directory="/usr/src/app", web="server"), 0)
    assert "ReadWritePaths" not in write_process_unit(make_app(directory="/usrlocal", web="server"), 0)


def test_the_controller_sees_homes_only_where_its_program_lies(make_app, controller):
    at_home = type(controller)(program=("/home/me/bin/autoscaler",), configuration=controller.configuration)

    assert "ProtectHome=yes" in write_systemd(make_app(web="x"), controller, has_configuration=True)["autoscaler.service"]
    assert "ProtectHome=read-only" in write_systemd(make_app(web="x"), at_home, has_configuration=True)["autoscaler.service"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "a@b", "web": "x"}, "is no name of an app"),
        ({"user": "a b", "web": "x"}, "is no name of a user"),
        ({"directory": "srv", "web": "x"}, "use an absolute path"),
        ({"directory": "/srv/[a]", "web": "x"}, "use an absolute path"),
        ({"web": "printf '\udcff'"}, "no UTF-8"),
        ({"name": "a" * 250, "web": "x"}, "longer than 255"),
    ],
)
def test_what_a_unit_cannot_hold_is_named(make_app, values, said):
    assert [mistake for mistake in find_mistakes(make_app(**values)) if said in mistake]


@pytest.mark.parametrize(("environment", "said"), [({"A": "\x07"}, "control characters"), ({"A-B": "1"}, "no name of a variable")])
def test_a_variable_that_systemd_would_drop_is_named(make_app, environment, said):
    assert said in "".join(find_mistakes(make_app(_type(environment=environment))))


def test_types_whose_ports_would_meet_are_named(make_app):
    assert "overlaps worker.1" in "".join(find_mistakes(make_app(_type(maximum=200), worker="x")))
