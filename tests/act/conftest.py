"""Give the tests of this folder a local formation."""

from tests.local_formation import marker, no_child_outlives_its_test, stage  # noqa: F401 - fixtures
