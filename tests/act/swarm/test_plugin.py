"""The keys of the backend, and what they cannot be."""

from threading import Event

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.act.swarm import Swarm
from autoscaler.model import ProcessType

WEB = ProcessType(name="web", minimum=0, maximum=9)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"address": "tcp://manager:2376"}, "address begins with tcp://; write https://"),
        ({"address": "http://manager:2375"}, "address sends everything in the clear"),
        ({"address": "manager:2376"}, "address is not an http or https URL"),
        ({"address": "unix://docker.sock"}, "address is not the whole path of a socket"),
        ({"address": "https://user:hidden@manager:2376"}, "^address holds a user or a password, which a manager does not know"),
        ({"ca": "ca.pem"}, "ca is for an address that begins with https://"),
        ({"address": "https://manager:2376", "certificate": "cert.pem"}, "certificate and key belong together"),
        ({"address": "https://manager:2376", "key": "key.pem"}, "certificate and key belong together"),
    ],
)
def test_what_cannot_be_is_refused_in_words(keys, words):
    with pytest.raises(ValueError, match=words):
        Swarm(**keys)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:2375", "http://localhost:2375", "http://[::1]:2375", "https://manager:2376", "unix:///run/a.sock"]
)
def test_addresses_that_nobody_can_listen_to_are_good(address):
    assert Swarm(address=address).address == address


def test_a_password_in_the_address_is_never_shown():
    with pytest.raises(ValueError, match="in the clear") as failure:
        Swarm(address="http://user:hidden@manager:2375")
    assert "hidden" not in str(failure.value)


def test_a_file_that_is_not_there_is_named_with_its_key(tmp_path):
    plugin = Swarm(address="https://manager:2376", ca=str(tmp_path / "ca.pem"))
    for connect in (lambda: plugin.connect((WEB,), None), lambda: plugin.observer((WEB,))):
        with pytest.raises(BackendError, match=r"backend swarm: ca: .*ca\.pem cannot be read: No such file or directory; correct ca"):
            connect()


def test_connecting_asks_nothing(tmp_path):
    Swarm(address=f"unix://{tmp_path}/none.sock").connect((WEB,), None).close(Event())


def test_keys_that_mean_nothing_to_swarm_are_mistakes():
    types = (ProcessType(name="web", minimum=0, maximum=9, socket="port"), ProcessType(name="worker", minimum=0, maximum=9))
    mistakes = Swarm(service="shop", names={}).mistakes(types)
    assert [name for name, _ in mistakes] == ["worker", "web"]
    assert "socket is not for Docker Swarm" in mistakes[1][1]
