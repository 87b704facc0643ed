"""A real systemd of a user, and an app to export."""

from collections.abc import Callable

import pytest

from autoscaler.export.app import App, Controller
from autoscaler.model import ProcessType
from tests.systemd_machines import machines, user_manager

__all__ = ["machines", "user_manager"]


@pytest.fixture
def make_app() -> Callable[..., App]:
    """Make an app of types given as name=command, or as values."""

    def make(*types: ProcessType, user: str | None = "app", name: str = "app", directory: str = "/srv/app", **commands: str) -> App:
        made = [ProcessType(name=each, minimum=1, maximum=4, command=command) for each, command in commands.items()]
        return App(name=name, directory=directory, types=(*types, *made), user=user)

    return make


@pytest.fixture
def controller() -> Controller:
    return Controller(program=("/usr/bin/env", "autoscaler"), configuration="/etc/autoscaler/autoscaler.yaml")
