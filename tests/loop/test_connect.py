"""Backends are opened all or none."""

import threading
from dataclasses import replace

import pytest

from autoscaler.act.backend import BackendError
from autoscaler.loop import connect_backends, observe_backends
from autoscaler.loop.connect import close_backends, new_among
from autoscaler.model import Change


class Plugin:
    def __init__(self, backend, trouble=None):
        self.backend, self.trouble, self.asked = backend, trouble, []

    def connect(self, process_types, previous):
        self.asked.append((tuple(one.name for one in process_types), previous))
        if self.trouble:
            raise self.trouble
        return self.backend

    def observer(self, process_types):
        return self.connect(process_types, None)


@pytest.fixture
def settings(make_settings, make_source):
    return lambda **plugins: replace(make_settings(make_source(), "web", backend="a"), backends=plugins)


def test_each_backend_gets_its_types_and_its_predecessor(settings, make_backend):
    first, plugin = make_backend({}), Plugin(make_backend({}))
    opened = connect_backends(settings(a=plugin, b=Plugin(make_backend({}))), {"a": first})

    assert plugin.asked == [(("web",), first)]
    assert list(opened) == ["a", "b"]


def test_when_one_cannot_open_the_new_ones_are_closed(settings, make_backend):
    kept, opened = make_backend({}), make_backend({})
    plugins = settings(a=Plugin(kept), b=Plugin(opened), c=Plugin(None, BackendError("port 8000 is in use")))
    with pytest.raises(BackendError, match="8000"):
        connect_backends(plugins, {"a": kept})

    assert (kept.is_closed, opened.is_closed) == (False, True)


def test_observers_answer_changes_without_making_them(settings, make_backend):
    backend = make_backend({"web": 3})
    observer = observe_backends(settings(a=Plugin(backend)))["a"]
    outcome = observer.scale((Change("web", 3, 9, "load"),))

    assert outcome[0].error is None
    assert observer.observe().types["web"].counts.desired == 3
    assert backend.calls == []


def test_closing_reaches_every_backend(make_backend):
    backends = {"a": make_backend({}), "b": make_backend({})}
    close_backends(new_among(backends, {"x": backends["a"]}), threading.Event())

    assert (backends["a"].is_closed, backends["b"].is_closed) == (False, True)


def test_backends_that_replace_none_are_opened_first(settings, make_backend):
    order = []

    class Telling(Plugin):
        def connect(self, process_types, previous):
            order.append(self)
            return super().connect(process_types, previous)

    old, new = Telling(make_backend({})), Telling(None, BackendError("no answer"))
    with pytest.raises(BackendError):
        connect_backends(settings(a=old, b=new), {"a": make_backend({})})

    assert order == [new]


def test_any_failure_to_open_closes_what_was_opened(settings, make_backend):
    opened = make_backend({})
    with pytest.raises(RuntimeError):
        observe_backends(settings(a=Plugin(opened), b=Plugin(None, RuntimeError("a bug"))))

    assert opened.is_closed


def test_a_backend_that_cannot_close_stops_no_other(make_backend):
    class Broken(make_backend):
        def close(self, _hurry):
            raise BackendError("the bus is gone")

    healthy = make_backend({})

    assert close_backends({"a": Broken({}), "b": healthy}, threading.Event()) == {"a": "the bus is gone"}
    assert healthy.is_closed
