"""Give the tests of this folder a made-up Heroku and a backend that uses it."""

from __future__ import annotations

import pytest

from autoscaler.act.heroku import Heroku
from tests.heroku_api import APP, TOKEN, heroku_stub
from tests.remote_formation import remote


@pytest.fixture
def heroku():
    with heroku_stub() as stub:
        yield stub


@pytest.fixture
def app(heroku, eventually):
    """Return a formation of web and job at the made-up Heroku, not connected yet."""
    with remote(Heroku(app=APP, token=TOKEN, url=heroku.url), eventually) as made:
        yield made
