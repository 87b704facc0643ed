"""Ask sources as the board does, with the times a test chooses."""

from collections.abc import Callable

import pytest

from autoscaler.observe.source import Poll, Source, SourceError

Ask = Callable[..., Poll]


@pytest.fixture
def poll() -> Ask:
    """Make the poll of a metric at monotonic second 1000 and wall second 5000, unless a test says otherwise."""

    def make(**fields: object) -> Poll:
        return Poll(**{"metric": "jobs", "now": 1000.0, "at": 5000.0, "timeout_seconds": 5.0, **fields})

    return make


@pytest.fixture
def cause(poll: Ask) -> Callable[..., str]:
    """Return why a source has no reading; fail when it has one."""

    def why(source: Source, **fields: object) -> str:
        with pytest.raises(SourceError) as caught:
            source.read(poll(**fields))
        return str(caught.value)

    return why
