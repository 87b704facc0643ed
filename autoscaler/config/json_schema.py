"""Describe the configuration file, with the options of every installed plug-in, as a JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from autoscaler.config.annotations import UnreadableFieldError
from autoscaler.config.derive import model_of
from autoscaler.config.json_types import JsonSchema
from autoscaler.config.plugins import BACKENDS, POLICIES, SOURCES, PluginError, Registry, installed
from autoscaler.config.schema import DefaultsSection, FileSection, MetricSection, PolicySection, TypeSection

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TITLE = "autoscaler.yaml"
_SECTIONS = (FileSection, MetricSection, PolicySection, DefaultsSection, TypeSection)
_WRITTEN_OUT = {section.__name__ for section in (FileSection, MetricSection, PolicySection)}  # where they are used
_TYPE_NAMES = "^[A-Za-z0-9_-]+$"


def json_schema(registry: Registry | None = None) -> dict[str, object]:
    """Return the schema of the file (draft 2020-12); a plug-in that cannot be loaded takes anything, and says why."""
    return _Writer(registry or installed()).write()


class _Writer:
    """Put the schemas of sections and plug-ins together."""

    def __init__(self, registry: Registry) -> None:
        groups = {group: registry.names(group) for group in (SOURCES, POLICIES, BACKENDS)}
        found = {(group, name): _model(registry, group, name) for group, names in groups.items() for name in names}
        models = {key: model for key, model in found.items() if not isinstance(model, str)}
        sections: dict[type, type[BaseModel]] = {section: model_of(section) for section in _SECTIONS}
        references, definitions = models_json_schema(
            [(model, "validation") for model in dict.fromkeys((*sections.values(), *models.values()))], ref_template="#/$defs/{model}"
        )
        self.definitions: JsonSchema = definitions["$defs"]
        self._references = {model: reference for (model, _), reference in references.items()}
        self._sections = sections
        self._plugins = {key: self._reference(model) if not isinstance(model, str) else {"description": model} for key, model in found.items()}

    def _reference(self, model: type[BaseModel]) -> JsonSchema:
        return dict(self._references[model])

    def _section(self, section: type) -> JsonSchema:
        reference: str = self._references[self._sections[section]]["$ref"]
        found: JsonSchema = self.definitions[reference.rpartition("/")[2]]
        return found

    def write(self) -> dict[str, object]:
        """Return the whole schema."""
        for (group, _), reference in self._plugins.items():
            if group == POLICIES and "$ref" in reference:
                self._allow_inside(reference)
        self._section(TypeSection)["properties"]["policies"] = self._policies()
        file = self._section(FileSection)
        file["properties"] |= {
            "backend": self._backend(file["properties"]["backend"]),
            "backends": _by_name(self._backend({}), file["properties"]["backends"]),
            "metrics": _by_name(self._chosen(SOURCES, self._section(MetricSection)), file["properties"]["metrics"]),
            "defaults": self._reference(self._sections[DefaultsSection]),
            "formation": _by_name(self._reference(self._sections[TypeSection]), file["properties"]["formation"]) | _NAMED_TYPES,
        }
        kept = {name: definition for name, definition in self.definitions.items() if name not in _WRITTEN_OUT}
        return {"$schema": _DIALECT, **file, "title": _TITLE, "required": ["formation"], "$defs": kept}

    def _allow_inside(self, reference: JsonSchema) -> None:
        """Let ``when_missing`` stand among a policy's own keys."""
        definition = self.definitions[reference["$ref"].rpartition("/")[2]]
        definition.setdefault("properties", {}).update(self._section(PolicySection)["properties"])

    def _policies(self) -> JsonSchema:
        described = self._section(TypeSection)["properties"]["policies"]
        return _described({"type": "array", "items": self._chosen(POLICIES, self._section(PolicySection))}, described)

    def _backend(self, described: JsonSchema) -> JsonSchema:
        bare = {"enum": [name for name, _ in self._of(BACKENDS)]}
        return _described({"anyOf": [bare, self._chosen(BACKENDS, {})]}, described)

    def _chosen(self, group: str, beside: JsonSchema) -> JsonSchema:
        """Describe a mapping with exactly one plug-in, and what may stand beside it."""
        plugins = dict(self._of(group))
        properties = {**plugins, **beside.get("properties", {})}
        one_of = [{"required": [name]} for name in plugins]
        return {"type": "object", "properties": properties, "additionalProperties": False, **({"oneOf": one_of} if one_of else {})}

    def _of(self, group: str) -> Iterator[tuple[str, JsonSchema]]:
        for (plugin_group, name), reference in self._plugins.items():
            if plugin_group == group:
                yield name, {"anyOf": [reference, {"type": "null"}]} if self._needs_nothing(reference) else reference

    def _needs_nothing(self, reference: JsonSchema) -> bool:
        return "$ref" in reference and "required" not in self.definitions[reference["$ref"].rpartition("/")[2]]


_NAMED_TYPES = {"propertyNames": {"pattern": _TYPE_NAMES}, "minProperties": 1}


def _model(registry: Registry, group: str, name: str) -> type[BaseModel] | str:
    try:
        return model_of(registry.load_class(group, name))
    except (PluginError, UnreadableFieldError) as error:
        return f"cannot be described: {error}"


def _by_name(item: JsonSchema, described: Mapping[str, object]) -> JsonSchema:
    return _described({"type": "object", "additionalProperties": item}, described)


def _described(schema: JsonSchema, described: Mapping[str, object]) -> JsonSchema:
    return {**{key: described[key] for key in ("title", "description") if key in described}, **schema}
