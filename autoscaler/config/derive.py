"""Derive a strict pydantic model from a plug-in's frozen dataclass, and make the plug-in from it."""

from __future__ import annotations

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import Annotated, TypeVar, get_args, get_type_hints

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic_core import PydanticCustomError

from autoscaler.config.annotations import Annotation, UnreadableFieldError, annotate, as_mapping, mentions, unannotated
from autoscaler.config.json_types import JsonSchema
from autoscaler.config.wording import seconds
from autoscaler.model import AutoscalerError, ByteSize, FilePath, Help, Seconds

Plugin = TypeVar("Plugin")

_SUFFIXES: tuple[tuple[type, str], ...] = ((Seconds, "_seconds"), (ByteSize, "_bytes"))  # a unit that the key does not repeat
_ATTRIBUTE = "option_{}"  # keeps a field such as `copy` or `json` apart from pydantic's own names
# What the constructor of a plug-in may raise to refuse its values; a TypeError is an oversight of its author.
_REFUSALS = (ValueError, TypeError, AutoscalerError)


@dataclass(frozen=True, slots=True)
class Option:
    """One key of a plug-in."""

    field: str
    key: str
    hint: Annotation
    help: str
    default: object  # dataclasses.MISSING when there is none, or when it is made anew each time
    is_required: bool
    reads_default: bool  # like a value of the file: a relative path is taken from the file's folder

    @property
    def attribute(self) -> str:
        """Name the field of the derived model."""
        return _ATTRIBUTE.format(self.field)


def options_of(plugin: type) -> tuple[Option, ...]:
    """List what a plug-in can be told: its fields with ``init=True``.

    Raises ``UnreadableFieldError`` for a class that is no frozen dataclass, or whose annotations do not resolve.
    """
    return _options(plugin)


@functools.cache
def _options(plugin: type) -> tuple[Option, ...]:
    parameters = getattr(plugin, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise UnreadableFieldError(f"{plugin.__qualname__} is no frozen dataclass; decorate it with @dataclass(frozen=True)")
    try:
        hints = get_type_hints(plugin, include_extras=True)
    except (NameError, AttributeError, TypeError) as error:
        raise UnreadableFieldError(f"the annotations of {plugin.__qualname__} do not resolve ({error}); import their names at run time") from error
    return tuple(_option(field, hints[field.name]) for field in dataclasses.fields(plugin) if field.init)


def _option(field: dataclasses.Field[object], hint: Annotation) -> Option:
    key = next((field.name.removesuffix(suffix) for marker, suffix in _SUFFIXES if mentions(hint, marker)), field.name)
    is_required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    reads_default = field.default is not dataclasses.MISSING and mentions(hint, FilePath)
    return Option(field.name, key, hint, _help(hint), field.default, is_required, reads_default)


def _help(hint: Annotation) -> str:
    own = next((marker.text for marker in getattr(hint, "__metadata__", ()) if isinstance(marker, Help)), "")
    return own or next((text for each in get_args(hint) if (text := _help(each))), "")


def model_of(plugin: type) -> type[BaseModel]:
    """Derive the model: strict, no other keys, each key a field of the plug-in; raises ``UnreadableFieldError``."""
    return _model(plugin)


@functools.cache
def _model(plugin: type) -> type[BaseModel]:
    fields = {option.attribute: (annotate(option.hint, _nested), _field(option)) for option in options_of(plugin)}
    configuration = ConfigDict(extra="forbid", strict=True, frozen=True, title=plugin.__name__)
    # Any: create_model takes fields by name, which no type can say.
    fields_by_name: Annotation = fields
    return create_model(plugin.__name__, __config__=configuration, __doc__=_summary(plugin), **fields_by_name)


def _nested(plugin: type) -> Annotation:
    return Annotated[model_of(plugin), AfterValidator(functools.partial(construct, plugin)), BeforeValidator(as_mapping)]


def _field(option: Option) -> object:
    description, written = option.help or None, _written_default(option)
    if option.is_required:
        return Field(alias=option.key, description=description)
    if option.reads_default:
        default = option.default
        return Field(alias=option.key, description=description, json_schema_extra=written, default_factory=lambda: default, validate_default=True)
    return Field(alias=option.key, description=description, json_schema_extra=written, default_factory=lambda: None)


def _written_default(option: Option) -> JsonSchema | None:
    """Write a default as it would stand in the file; nothing for one that is no plain value."""
    default = option.default
    if isinstance(default, int | float) and not isinstance(default, bool) and mentions(option.hint, Seconds):
        return {"default": seconds(default)}
    if isinstance(default, str | bool | int) or (isinstance(default, float) and math.isfinite(default)):
        return {"default": default}
    return None


def _summary(plugin: type) -> str:
    return (plugin.__doc__ or plugin.__name__).strip().splitlines()[0]


def construct(plugin: type[Plugin], model: BaseModel) -> Plugin:
    """Make the plug-in from its validated model; raise the sentence it refuses the values with as a pydantic error."""
    given = {option.field: getattr(model, option.attribute) for option in options_of(plugin) if _is_given(option, model)}
    try:
        return plugin(**given)
    except _REFUSALS as error:
        said = f"the plug-in failed with {error!r}" if isinstance(error, TypeError) else str(error)
        raise PydanticCustomError("refused", "{sentence}", {"sentence": said or repr(error)}) from error


def _is_given(option: Option, model: BaseModel) -> bool:
    return option.attribute in model.model_fields_set or option.reads_default


def keys_at(plugin: type, location: tuple[str | int, ...]) -> tuple[Option, ...]:
    """List the options of a plug-in, or of the dataclass nested in it at a location of keys and list positions."""
    options = options_of(plugin)
    for part in location:
        option = next((option for option in options if option.key == part), None)
        inner = _dataclass_in(option.hint) if option else None
        options = options_of(inner) if inner else options
    return options


def _dataclass_in(hint: Annotation) -> type | None:
    bare = unannotated(hint)
    if isinstance(bare, type) and dataclasses.is_dataclass(bare):
        return bare
    return next((found for each in get_args(bare) if (found := _dataclass_in(each))), None)
