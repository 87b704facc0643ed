"""What systemd tells of its units is kept by name."""

from autoscaler.act.systemd.ledger import Ledger
from autoscaler.act.systemd.values import Unit

_WEB = "app-web@1.service"
_JOB = "/org/freedesktop/systemd1/job/7"


def _row(name, active_state, sub_state, job=(0, "", "/")):
    return (name, "a description", "loaded", active_state, sub_state, "", "/path", *job)


def test_only_units_of_a_glob_are_cared_for():
    ledger = Ledger(("app-web@*.service", "app-job.[0-9]*.service"))

    assert [
        name for name in (_WEB, "app-job.1.service", "app-job.x.service", "app-web@1.socket", "my-app-web@1.service") if ledger.cares_for(name)
    ] == [
        _WEB,
        "app-job.1.service",
    ]


def test_no_glob_cares_for_nothing():
    assert not Ledger(()).cares_for("")


def test_a_list_tells_of_units_and_jobs():
    ledger = Ledger(("app-*",))

    ledger.list_units([_row(_WEB, "active", "running", (7, "stop", _JOB)), _row("other.service", "active", "running")])

    assert ledger.units() == {_WEB: Unit(_WEB, active_state="active", sub_state="running", job="stop")}


def test_restarts_outlive_a_list_while_the_state_stays():
    ledger = Ledger(("app-*",))
    ledger.merge(_WEB, {"ActiveState": ("s", "active"), "SubState": ("s", "running"), "NRestarts": ("u", 3)})

    ledger.list_units([_row(_WEB, "active", "running")])
    assert ledger.unit(_WEB).restarts == 3

    ledger.list_units([_row(_WEB, "inactive", "dead")])
    assert ledger.unit(_WEB).restarts == 0


def test_a_job_has_no_type_until_it_is_named():
    ledger = Ledger(("app-*",))
    ledger.merge(_WEB, {"Job": ("(uo)", (7, _JOB))})
    assert (ledger.unit(_WEB).job, ledger.job_without_type(_WEB)) == ("", _JOB)

    ledger.name_job(_WEB, _JOB, "stop")
    assert (ledger.unit(_WEB).job, ledger.job_without_type(_WEB)) == ("stop", "")

    ledger.end_job(_WEB, _JOB)
    assert (ledger.unit(_WEB).job, ledger.job_without_type(_WEB)) == ("", "")


def test_values_of_wrong_types_are_nothing():
    ledger = Ledger(("app-*",))

    ledger.merge(_WEB, {"ActiveState": ("u", 1), "NRestarts": ("s", "many"), "Job": ("s", "x"), "Unheard": ("s", "of")})

    assert ledger.unit(_WEB) == Unit(_WEB)
