"""What to write instead of a value that does not fit, in words for operators."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import ErrorDetails

# The kinds of pydantic's errors; what it says itself is meant for programmers.
_WRITE: Final[Mapping[str, str]] = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "string_type": "a text, in quotes",
    "path_type": "a path, in quotes",
    "ip_any_network": 'an address or a network, such as "10.0.0.0/8"',
    "literal_error": "{expected}",
    "enum": "{expected}",
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


def remedy_of(detail: ErrorDetails, variable: str | None) -> str:
    """Return what to write; `variable` is the environment variable that set the value, if any."""
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
    return f"{message_of(detail)}."


def message_of(detail: ErrorDetails) -> str:
    """Return what a validator says, without a full stop."""
    return detail["msg"].removeprefix("Value error, ").rstrip(".")


def _as_json(variable: str | None, example: str) -> str:
    return f" as JSON, such as {variable}='{example}'" if variable else ""
