"""Find policies, sources, backends and commands by entry point, and import only those that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from autoscaler.config.wording import names, nearest
from autoscaler.model import AutoscalerError

SOURCES = "autoscaler.sources"
POLICIES = "autoscaler.policies"
BACKENDS = "autoscaler.backends"
COMMANDS = "autoscaler.commands"

_KINDS = {SOURCES: "source", POLICIES: "policy", BACKENDS: "backend", COMMANDS: "command"}
_CONTRACTS = {SOURCES: ("read",), POLICIES: ("recommend",), BACKENDS: ("connect", "observer")}
# What the code of a stranger may raise while it is imported, or when it is asked a question about itself.
PLUGIN_FAILURES = (
    AutoscalerError, ArithmeticError, AssertionError, AttributeError, ImportError, LookupError,
    NameError, OSError, RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip


class PluginError(AutoscalerError):
    """A plug-in cannot be used; the text says which, why, and from which distribution it comes."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point: known by name, not imported yet."""

    group: str
    name: str
    distribution: str
    load: Callable[[], object]


class Registry:
    """The plug-ins that a configuration may name."""

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        """Take all plug-ins, of all groups."""
        self._plugins = tuple(plugins)

    def names(self, group: str) -> tuple[str, ...]:
        """List the names of a group, sorted."""
        return tuple(sorted({plugin.name for plugin in self._plugins if plugin.group == group}))

    def load(self, group: str, name: str) -> object:
        """Import a plug-in; raise ``PluginError`` when it is unknown, offered twice, or fails to import."""
        plugin = self._find(group, name)
        try:
            return plugin.load()
        except PLUGIN_FAILURES as error:
            sentence = f"the {_KINDS[group]} {name} of {plugin.distribution} cannot be imported ({type(error).__name__}: {error})"
            raise PluginError(f"{sentence}; correct or reinstall {plugin.distribution}") from error

    def load_class(self, group: str, name: str) -> type:
        """Import the class of a policy, source or backend; raise ``PluginError`` when it does not keep the contract."""
        loaded, distribution = self.load(group, name), self._find(group, name).distribution
        kind = _KINDS[group]
        if not isinstance(loaded, type):
            raise PluginError(f"the {kind} {name} of {distribution} is no class; point its entry point to a frozen dataclass")
        lacking = [method for method in _CONTRACTS[group] if not callable(getattr(loaded, method, None))]
        if lacking:
            raise PluginError(f"the {kind} {name} of {distribution} has no method {' and no '.join(lacking)}; it is no {kind}")
        return loaded

    def _find(self, group: str, name: str) -> Plugin:
        found = [plugin for plugin in self._plugins if (plugin.group, plugin.name) == (group, name)]
        if not found:
            raise PluginError(_unknown(name, _KINDS[group], self.names(group)))
        if len(found) > 1:
            distributions = " and ".join(sorted(plugin.distribution for plugin in found))
            raise PluginError(f"the {_KINDS[group]} {name} comes from {distributions}; uninstall one of them")
        return found[0]


def _unknown(name: str, kind: str, installed: tuple[str, ...]) -> str:
    listed = f"{nearest(name, installed)} installed are {names(installed) or 'none'}"
    return f"unknown {kind}; {listed.strip()}"


def installed() -> Registry:
    """Find what is installed now; nothing is imported."""
    return Registry(_plugin(point) for group in _KINDS for point in entry_points(group=group))


def _plugin(point: EntryPoint) -> Plugin:
    return Plugin(point.group, point.name, point.dist.name if point.dist else "an unknown distribution", point.load)
