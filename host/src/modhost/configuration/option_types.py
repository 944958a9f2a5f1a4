"""What the options of a model are called, and what their types take."""

import json
from collections.abc import Collection, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, RootModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo

SEPARATOR: Final = "__"
FILE_SUFFIX: Final = "_file"
"""Of the key that names a file with the value of an option."""
MAX_DEPTH: Final = 50
"""Of tables and lists: whatever reads them descends level by level."""
_CONTAINERS: Final = frozenset({"array", "object"})

Path = tuple[str, ...]


def names_of(model: type[BaseModel], name: str) -> list[str]:
    """Return the names by which a field is accepted, the usual one first: its aliases, or its own.

    Args:
        model: the model of the options.
        name: the field's name in the model.

    """
    alias, config = model.model_fields[name].validation_alias, model.model_config
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias] if alias else []
    names = [
        str(each.path[0]) if isinstance(each, AliasPath) else each
        for each in choices
        if isinstance(each, str) or len(each.path) == 1
    ]
    takes_name = config.get("populate_by_name") or config.get("validate_by_name")
    if not config.get("validate_by_alias", True):
        names = []
    return [*names, name] if takes_name or not names else names


def options_in(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by each name that is accepted."""
    return {
        accepted: field
        for name, field in model.model_fields.items()
        for accepted in names_of(model, name)
    }


def description_of(path: Path, model: type[BaseModel]) -> str:
    """Return the description of the option at a path, or of the table that it is in."""
    field = options_in(model).get(path[0]) if path else None
    if field is None:
        return ""
    found = (description_of(path[1:], below) for below in models_of(field.annotation))
    return next(filter(None, found), field.description or "")


def by_accepted_name(options: BaseModel) -> dict[str, Any]:
    """Return the values of options, each by the usual name that is accepted for it."""
    return _by_names(options.model_dump(), options)


def _by_names(written: Mapping[str, Any], options: BaseModel) -> dict[str, Any]:
    fields = type(options).model_fields
    return {
        names_of(type(options), name)[0] if name in fields else name: _renamed(
            value, getattr(options, name, None)
        )
        for name, value in written.items()
    }


def _renamed(written: Any, value: Any) -> Any:
    """Return what is written for a value, with the models in it by accepted names."""
    if isinstance(value, RootModel):
        return _renamed(written, value.root)
    if isinstance(value, BaseModel):
        return _by_names(written, value) if isinstance(written, dict) else written
    if isinstance(value, dict) and isinstance(written, dict):
        return {str(key): _renamed(below, value.get(key)) for key, below in written.items()}
    if isinstance(value, list | tuple) and isinstance(written, list | tuple):
        return [_renamed(*each) for each in zip(written, value, strict=False)]
    return written


def type_of(field: FieldInfo) -> Any:
    """Return the whole type of a field, with its validators."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def alternatives(annotation: Any) -> list[Any]:
    """Return the types that a value may have, other than None: the members of a union, or one."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return alternatives(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [kind for each in get_args(annotation) for kind in alternatives(each)]
    if aliased := getattr(annotation, "__value__", None):
        return alternatives(aliased)
    if is_model(annotation) and issubclass(annotation, RootModel):
        return alternatives(annotation.model_fields["root"].annotation)
    return [] if annotation is NoneType else [annotation]


def is_model(kind: Any) -> bool:
    """Return whether a type is a model."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """Return the models among the alternatives of a type."""
    return list(filter(is_model, alternatives(annotation)))


def locate(name: str, annotation: Any, present: Any) -> tuple[Path, Any]:
    """Return where the name of a variable leads within a type, and the type of what is there.

    Names of options have no case; keys of a table keep theirs, unless one that is present has
    another.

    Args:
        name: what follows the section, e.g. `ROLES__Admins`.
        annotation: the type of the section.
        present: the values in the file.

    """
    if models := models_of(annotation):
        return _option(name, models, present)
    below = _values_of(annotation)
    if below is None:
        return keys_of(name), Any
    is_table = bool(models_of(below)) or _values_of(below) is not None
    written, separator, rest = name.partition(SEPARATOR) if is_table else (name, "", "")
    keys = present if isinstance(present, Mapping) else {}
    alike = [key for key in keys if key.casefold() == written.casefold()]
    key = alike[0] if len(alike) == 1 and written not in keys else written
    if not separator:
        return (key,), below
    path, found = locate(rest, below, keys.get(key))
    return (key, *path), found


def _option(name: str, models: list[type[BaseModel]], present: Any) -> tuple[Path, Any]:
    given = name.upper()
    options = [each for model in models for each in options_in(model).items()]
    for key, field in sorted(options, key=lambda each: -len(each[0])):
        start = key.upper() + SEPARATOR
        if given == key.upper():
            return (key,), type_of(field)
        if given == f"{key}{FILE_SUFFIX}".upper():
            return (f"{key}{FILE_SUFFIX}",), str
        if given.startswith(start):
            keys = present if isinstance(present, Mapping) else {}
            path, found = locate(name[len(start) :], field.annotation, keys.get(key))
            return (key, *path), found
    return keys_of(name), Any


def keys_of(name: str) -> Path:
    """Return the keys in what follows the prefix of a variable; beyond `MAX_DEPTH`, one of all."""
    return tuple(name.lower().split(SEPARATOR, MAX_DEPTH))


def _values_of(annotation: Any) -> Any:
    """Return the type of a table's values, None where there is not a table."""
    if _is_container(annotation):
        is_table = issubclass(get_origin(annotation) or annotation, Mapping)
        return (*get_args(annotation), Any, Any)[1] if is_table else None
    return next(filter(None, map(_values_of, get_args(annotation))), None)


def _is_container(annotation: Any) -> bool:
    kind = get_origin(annotation) or annotation
    return isinstance(kind, type) and issubclass(kind, Collection) and not issubclass(kind, str)


def read_as(annotation: Any, text: str) -> Any:
    """Return what a text stands for, where a type takes lists, tables or nothing: JSON is read."""
    if not text.startswith(("[", "{")) and text != "null":
        return text
    kinds = _kinds(annotation)
    if not kinds & _CONTAINERS and (text != "null" or "string" in kinds or "null" not in kinds):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if is_too_deep(value) else value


def is_too_deep(value: Any) -> bool:
    """Return whether tables and lists are nested in more than `MAX_DEPTH` levels."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        tables = [each.values() for each in level if isinstance(each, dict)]
        lists = [each for each in level if isinstance(each, list)]
        level = [inner for each in (*tables, *lists) for inner in each]
    return bool(level)


def _kinds(annotation: Any) -> frozenset[str]:
    """Return the types of JSON that are taken; none where they are unknown."""
    try:
        schema = TypeAdapter(annotation).json_schema()
    except PydanticUserError:
        return frozenset()
    return frozenset(_kinds_in(schema, schema.get("$defs", {})))


def _kinds_in(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    alternatives = [each for key in ("anyOf", "oneOf", "allOf") for each in schema.get(key, ())]
    for each in alternatives:
        yield from _kinds_in(each, definitions)
    if not alternatives:
        kind = schema.get("type", () if {"const", "enum"} & schema.keys() else _CONTAINERS)
        yield from (kind,) if isinstance(kind, str) else kind
