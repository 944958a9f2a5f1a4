"""Explain invalid options: pydantic's errors as findings with origin, key, value and remedy."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from modhost.checks import Finding, Rule, rules
from modhost.configuration.option_types import Path, options_in
from modhost.configuration.redaction import HIDDEN, is_secret_option, redacted
from modhost.configuration.values import Values

# By the type of pydantic's error, whose own message is meant for programmers.
_WRITE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    "string_type": "a text, in quotes",
    "path_type": "a path, in quotes",
    "ip_any_network": 'an address or a network, such as "10.0.0.0/8"',
    **dict.fromkeys(("literal_error", "enum"), "{expected}"),
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number, {ge} or more",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number, {le} or less",
    "string_too_short": "a text of {min_length} characters or more",
    "string_too_long": "a text of {max_length} characters or fewer",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of {max_length} or fewer",
}
_LISTS: Final = ("list_type", "tuple_type", "set_type", "frozen_set_type")
_TABLES: Final = ("dict_type", "model_type", "model_attributes_type")
_LIST: Final = '["a", "b"]'
_TABLE: Final = '{"key": "value"}'


def findings_of(
    error: ValidationError, section: Path, model: type[BaseModel], values: Values
) -> list[Finding]:
    """Return a finding for each mistake in a section, `[host]` or `[modules.<name>]`."""
    module = section[1] if section[0] == "modules" else None
    return [
        Finding(*_explain(detail, section, model, values), module)
        for detail in error.errors(include_url=False)
    ]


def _explain(
    detail: ErrorDetails, section: Path, model: type[BaseModel], values: Values
) -> tuple[Rule, str, str]:
    """Return the rule, what is wrong and the remedy of one mistake."""
    location = tuple(map(str, detail["loc"]))
    path = (*section, *location)
    is_missing = detail["type"] == "missing"
    where = (
        f"{values.origin(path[:-1] if is_missing else path)}: {place_name(section, detail['loc'])}"
    )
    if detail["type"] == "extra_forbidden":
        return rules.UNKNOWN_KEY, f"{where} is not an option.", _known_options(location, model)
    if not location:
        return rules.BAD_VALUE, f"{where}: {_message(detail)}.", ""
    remedy = advice(detail, values.variable(path))
    if is_missing:
        return rules.BAD_VALUE, f"{where} is missing.", remedy
    is_secret = is_secret_option(location, model)
    value = HIDDEN if is_secret else redacted(location[-1], detail["input"])
    if isinstance(detail["input"], str) and detail["input"] and detail["input"] != value:
        # A validator may repeat what it was given.
        for written in (repr(detail["input"])[1:-1], detail["input"]):
            remedy = remedy.replace(written, value)
    return rules.BAD_VALUE, f"{where} is {value!r}.", remedy


def key_name(section: Path, location: Path) -> str:
    """Return a key as in the file: `[section] key`."""
    *tables, key = (*section, *location) if location else (*section, "")
    return f"[{'.'.join(tables)}] {key}".rstrip()


def place_name(section: Path, location: tuple[int | str, ...]) -> str:
    """Return the words for a place, which may be within lists: `item 1 of [section] key`."""
    indices = [at for at, part in enumerate(location) if isinstance(part, int)]
    if not indices:
        return key_name(section, tuple(map(str, location)))
    last = indices[-1]
    item = f"item {int(location[last]) + 1} of {place_name(section, location[:last])}"
    below = ".".join(map(str, location[last + 1 :]))
    return f"{below} of {item}" if below else item


def advice(detail: ErrorDetails, variable: str | None = None) -> str:
    """Return what to write, in JSON where an environment variable set the value."""
    kind = detail["type"]
    if kind == "missing":
        return "Set it."
    if kind in _LISTS:
        return f"Write a list{_as_json(variable, _LIST) or f', such as {_LIST}'}."
    if kind in _TABLES:
        by_key = f" Or set its keys one by one: {variable}__<KEY>." if variable else ""
        return f"Write a table{_as_json(variable, _TABLE)}.{by_key}"
    context: dict[str, Any] = detail.get("ctx", {})
    if kind in _WRITE:
        return f"Write {_WRITE[kind].format(**context)}."
    return f"{_message(detail)}."


def _message(detail: ErrorDetails) -> str:
    """Return the message of a validator, without a full stop."""
    return detail["msg"].removeprefix("Value error, ").rstrip(".")


def _as_json(variable: str | None, example: str) -> str:
    return f" as JSON, such as {variable}='{example}'" if variable else ""


def _known_options(location: Path, model: type[BaseModel]) -> str:
    fields = _fields_at(location[:-1], model)
    similar = get_close_matches(location[-1], fields, 1)
    if similar:
        return f"Did you mean {similar[0]!r}?"
    return f"The options are: {', '.join(fields)}." if fields else "There are no options here."


def _fields_at(path: Path, model: type[BaseModel]) -> list[str]:
    parts = list(path)
    while parts:
        field: Any = options_in(model).get(parts.pop(0))
        below = _model_in(field.annotation) if field else None
        if below is None:
            return []
        model, containers = below
        del parts[:containers]
    return list(options_in(model))


def _model_in(annotation: Any, containers: int = 0) -> tuple[type[BaseModel], int] | None:
    """Return the model of an option's values, and in how many lists or tables they are."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, containers
    origin = get_origin(annotation)
    is_container = isinstance(origin, type) and issubclass(origin, Collection)
    found = (_model_in(each, containers + is_container) for each in get_args(annotation))
    return next(filter(None, found), None)
