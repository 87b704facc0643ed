"""Give the tests of this folder real process managers."""

from tests.supervisors import make_manager  # noqa: F401 - a fixture
