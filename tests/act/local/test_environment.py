"""A child's environment is the controller's, the type's and, last, its own."""

from __future__ import annotations

from autoscaler.act.local.environment import MARKER, Identity, make_environment

IDENTITY = Identity(name="web.2", port=5001, metrics_port=15001, marker="t/1/web.2")


def test_what_only_this_process_has_comes_last():
    made = make_environment({"A": "1", "B": "1"}, {"B": "2", "PORT": "9", "PS": "x"}, IDENTITY)
    assert made == {"A": "1", "B": "2", "PS": "web.2", "PORT": "5001", "METRICS_PORT": "15001", MARKER: "t/1/web.2", "PYTHONUNBUFFERED": "1"}


def test_python_buffers_where_the_user_says_so():
    assert make_environment({}, {"PYTHONUNBUFFERED": ""}, IDENTITY)["PYTHONUNBUFFERED"] == ""
    assert make_environment({"PYTHONUNBUFFERED": "0"}, {}, IDENTITY)["PYTHONUNBUFFERED"] == "0"


def test_an_outer_controllers_marker_is_kept():
    assert make_environment({MARKER: "o/7/app.1"}, {}, IDENTITY)[MARKER] == "o/7/app.1 t/1/web.2"


def test_messages_to_the_service_manager_are_not_inherited():
    inherited = {"NOTIFY_SOCKET": "x", "WATCHDOG_PID": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "a", "LISTEN_HOST": "kept"}
    made = make_environment(inherited, {}, IDENTITY)
    assert set(inherited) & set(made) == {"LISTEN_HOST"}


def test_a_type_that_notifies_gets_our_socket():
    identity = Identity(name="w.1", port=1, metrics_port=2, marker="m", notify_socket="@here")
    assert make_environment({"NOTIFY_SOCKET": "x"}, {}, identity)["NOTIFY_SOCKET"] == "@here"
