"""Give the tests of this folder a made-up Nomad and a backend that uses it."""

from __future__ import annotations

import pytest

from autoscaler.act.nomad import Nomad
from tests.nomad_api import nomad_stub
from tests.remote_formation import remote


@pytest.fixture(autouse=True)
def no_nomad_of_the_user(monkeypatch):
    for name in ("NOMAD_ADDR", "NOMAD_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def nomad():
    with nomad_stub() as stub:
        yield stub


@pytest.fixture
def job(nomad):
    """Return the job shop, with a task group web and a task group job."""
    return nomad.add("shop", {"web": 0, "job": 0})


@pytest.fixture
def shop(nomad, job, eventually):
    """Return a formation of web and job in the job shop, not connected yet."""
    assert job.id == "shop"
    with remote(Nomad(url=nomad.url, job="shop"), eventually) as made:
        yield made
