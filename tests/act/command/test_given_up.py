"""A process that supervisor has given up is failed and wanted, until it is scaled in or started by hand."""

from threading import Event

import pytest

from autoscaler.model import Change, Counts
from tests.supervisors import CRASHER, TYPES

pytestmark = pytest.mark.server


def test_a_process_that_supervisor_has_given_up_is_wanted_until_it_is_scaled_in(make_manager, eventually):
    manager = make_manager("supervisor")
    manager.define("web", CRASHER)
    configuration = manager.folder / "supervisord.conf"
    configuration.write_text(configuration.read_text().replace("startretries = 50", "startretries = 0"))
    manager.start()
    backend = manager.plugin().connect(TYPES, None)
    eventually(lambda: "web" in backend.observe().types)

    backend.scale((Change("web", 0, 1, "test"),))
    eventually(lambda: (seen := backend.observe().types.get("web")) and (seen.counts, seen.is_crash_looping) == (Counts(desired=1, failed=1), True))
    eventually(lambda: not backend.scale((Change("web", 1, 0, "test"),))[0].error and backend.observe().types["web"].counts == Counts(desired=0))
    backend.close(Event())
