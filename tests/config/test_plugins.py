"""Plug-ins are found by entry point, imported only when named, and a broken one is a sentence."""

import subprocess
import sys

import pytest

from autoscaler.config.plugins import BACKENDS, COMMANDS, POLICIES, SOURCES, Plugin, PluginError, Registry, installed


class _Policy:
    def recommend(self, observation, memory):
        raise NotImplementedError


def _registry(load, *distributions: str, group: str = POLICIES) -> Registry:
    return Registry(Plugin(group, "wish", distribution, load) for distribution in distributions or ("acme",))


def _refusal(registry: Registry, name: str = "wish", group: str = POLICIES) -> str:
    with pytest.raises(PluginError) as caught:
        registry.load_class(group, name)
    return str(caught.value)


def test_class_of_a_plugin_is_loaded():
    assert _registry(lambda: _Policy).load_class(POLICIES, "wish") is _Policy


def test_commands_are_loaded_as_they_are():
    assert _registry(lambda: "any object", group=COMMANDS).load(COMMANDS, "wish") == "any object"


def test_names_are_those_of_the_group():
    assert _registry(lambda: _Policy).names(POLICIES) == ("wish",)
    assert _registry(lambda: _Policy).names(SOURCES) == ()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("wihs", "unknown policy; did you mean wish? installed are wish"), ("other", "unknown policy; installed are wish")],
)
def test_unknown_name_lists_what_is_installed(name, sentence):
    assert _refusal(_registry(lambda: _Policy), name) == sentence


def test_unknown_name_says_when_nothing_is_installed():
    assert _refusal(Registry(())) == "unknown policy; installed are none"


@pytest.mark.parametrize("failure", [ImportError("no module x"), SyntaxError("bad"), NameError("y"), AttributeError("z"), OSError("w")])
def test_failing_import_names_the_error_and_the_distribution(failure):
    def load():
        raise failure

    said = _refusal(_registry(load))
    assert said == f"the policy wish of acme cannot be imported ({type(failure).__name__}: {failure}); correct or reinstall acme"


def test_two_distributions_with_one_name_are_both_named():
    assert _refusal(_registry(lambda: _Policy, "beta", "acme")) == "the policy wish comes from acme and beta; uninstall one of them"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (42, "the policy wish of acme is no class; point its entry point to a frozen dataclass"),
        (dict, "the policy wish of acme has no method recommend; it is no policy"),
    ],
)
def test_object_without_the_contract_is_refused(found, sentence):
    assert _refusal(_registry(lambda: found)) == sentence


def test_backend_needs_both_methods():
    said = _refusal(_registry(lambda: dict, group=BACKENDS), group=BACKENDS)
    assert said == "the backend wish of acme has no method connect and no observer; it is no backend"


def test_builtin_plugins_are_installed_like_any_other():
    registry = installed()
    assert {"backlog", "target"} <= set(registry.names(POLICIES))
    assert {"command", "file", "http_json", "prometheus", "prometheus_text", "sql"} <= set(registry.names(SOURCES))
    assert {"dry_run", "local"} <= set(registry.names(BACKENDS))


def test_only_named_plugins_are_imported():
    code = (
        "import sys; from autoscaler.config.loading import load_text; "
        "load_text('backend: dry_run\\nformation: {web: {maximum: 2}}', 'a.yaml', {}); "
        "print([name for name in sys.modules if name.startswith(('autoscaler_policies', 'autoscaler.observe.sql', 'requests'))])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "[]\n"
