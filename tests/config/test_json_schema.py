"""The JSON Schema of the file."""

import json
import re
from pathlib import Path

import pytest

from autoscaler.config.document import parse
from autoscaler.config.json_schema import json_schema
from autoscaler.config.plugins import POLICIES, Plugin, Registry
from autoscaler.config.template import TEMPLATE

_README = Path(__file__).resolve().parents[2] / "README.md"
_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": int | float, "boolean": bool, "null": type(None)}


@pytest.fixture(scope="module")
def schema():
    return json_schema()


def _fits(value, part, whole) -> bool:
    """Judge a value by the keywords that the schema uses, as JSON Schema says."""
    if "$ref" in part:
        return _fits(value, whole["$defs"][part["$ref"].rpartition("/")[2]], whole)
    is_right = "type" not in part or (isinstance(value, _TYPES[part["type"]]) and (not isinstance(value, bool) or part["type"] == "boolean"))
    is_one = "anyOf" not in part or any(_fits(value, each, whole) for each in part["anyOf"])
    is_only_one = "oneOf" not in part or sum(_fits(value, each, whole) for each in part["oneOf"]) == 1
    return is_right and is_one and is_only_one and value in part.get("enum", (value,)) and _content_fits(value, part, whole)


def _content_fits(value, part, whole) -> bool:
    if isinstance(value, str):
        return re.search(part.get("pattern", ""), value) is not None
    if isinstance(value, int | float):
        return part.get("minimum", value) <= value <= part.get("maximum", value) and value > part.get("exclusiveMinimum", value - 1)
    if isinstance(value, list):
        return all(_fits(each, part.get("items", {}), whole) for each in value)
    return not isinstance(value, dict) or _mapping_fits(value, part, whole)


def _mapping_fits(value, part, whole) -> bool:
    properties, others = part.get("properties", {}), part.get("additionalProperties", {})
    has_all, has_others = all(key in value for key in part.get("required", ())), any(key not in properties for key in value)
    values_fit = all(_fits(each, properties.get(key, others or {}), whole) for key, each in value.items())
    return has_all and values_fit and not (has_others and others is False)


def test_schema_is_of_draft_2020_12(schema):
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema


def test_every_reference_leads_somewhere(schema):
    names = re.findall(r'"\$ref": "#/\$defs/([^"]+)"', json.dumps(schema))
    assert set(names) == set(schema["$defs"])


def test_no_mapping_takes_unknown_keys(schema):
    for definition in (schema, *schema["$defs"].values()):
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False


def test_options_of_installed_plugins_are_in_it(schema):
    metric = schema["properties"]["metrics"]["additionalProperties"]["properties"]
    assert {"prometheus", "prometheus_text", "http_json", "sql", "command", "file", "every", "max_age"} <= set(metric)
    assert schema["$defs"]["Backlog"]["properties"]["job_takes"]["description"] == "time one job takes"
    assert schema["$defs"]["Local"]["properties"]["procfile"]["default"] == "Procfile"


def test_duration_has_its_default_as_written_in_the_file(schema):
    assert schema["properties"]["metrics"]["additionalProperties"]["properties"]["every"]["default"] == "5s"
    assert schema["$defs"]["Backlog"]["properties"]["clear_within"]["default"] == "1m"


def _readme_example() -> str:
    return re.search(r"```yaml\n(.*?)```", _README.read_text(), re.DOTALL)[1]


@pytest.mark.parametrize(
    "text",
    [TEMPLATE, _readme_example(), "formation: {web: {maximum: '${MOST}', policies: [{target: {metric: a, per_process: 5, when_missing: hold}}]}}"],
)
def test_good_files_fit_the_schema(schema, text):
    assert _fits(parse(text, "a.yaml").written, schema, schema)


@pytest.mark.parametrize(
    "text",
    [
        "interval: 5s",
        "formation: {web: {maximum: 0}}",
        "formation: {web: {maximum: 4, color: red}}",
        "formation: {web: {maximum: 4, startup: 5}}",
        "formation: {web: {maximum: 4, policies: [{target: {metric: a}, backlog: {waiting: a}}]}}",
        "formation: {web: {maximum: 4, scale_in: {at_most: [4 per 5]}}}",
        "formation: {web: {maximum: 4}}\nmetrics: {a: {every: 5s}}",
        "formation: {web: {maximum: 4}}\nmetrics: {a: {file: {}}}",
        "formation: {web: {maximum: 4}}\nbackend: nowhere",
    ],
)
def test_bad_files_do_not_fit_the_schema(schema, text):
    assert not _fits(parse(text, "a.yaml").written, schema, schema)


def test_plugin_that_cannot_be_loaded_says_so(registry):
    broken = Plugin(POLICIES, "broken", "acme", lambda: 1 / 0)
    schema = json_schema(Registry([*registry._plugins, broken]))
    described = schema["$defs"]["TypeSection"]["properties"]["policies"]["items"]["properties"]["broken"]["description"]
    assert described.startswith("cannot be described: the policy broken of acme cannot be imported (ZeroDivisionError: ")


def test_schema_without_any_plugin_is_still_one():
    assert json_schema(Registry(()))["properties"]["metrics"]["additionalProperties"]["properties"].keys() >= {"every"}
