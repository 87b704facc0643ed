"""Give the tests of this folder a local formation, and a systemd."""

from tests.local_formation import marker, no_child_outlives_its_test, stage  # noqa: F401 - fixtures
from tests.systemd_machines import machines, user_manager  # noqa: F401 - fixtures
