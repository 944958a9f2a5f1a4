"""Explain invalid options: pydantic's errors as findings with origin, key, value and remedy."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from modhost.checks import Finding, Rule, rules
from modhost.configuration.inner_types import Place, models_at, without_tags
from modhost.configuration.option_types import Path, options_in
from modhost.configuration.redaction import HIDDEN, is_secret_option, redacted_option
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
    "table_too_short": "a table of {min_length} keys or more",
    "table_too_long": "a table of {max_length} keys or fewer",
    "union_tag_invalid": "one of {expected_tags} as {discriminator}",
    "union_tag_not_found": "a table with {discriminator}",
}
_SIZES: Final = ("too_short", "too_long")
_SIZED: Final[Mapping[type, str]] = {str: "string_", dict: "table_"}
_LISTS: Final = ("list_type", "tuple_type", "set_type", "frozen_set_type")
_TABLES: Final = ("dict_type", "model_type", "model_attributes_type")
_LIST: Final = '["a", "b"]'
_TABLE: Final = '{"key": "value"}'


def findings_of(
    error: ValidationError,
    table: Mapping[str, Any],
    section: Path,
    model: type[BaseModel],
    values: Values,
) -> list[Finding]:
    """Return a finding for each mistake in a section, `[host]` or `[modules.<name>]`."""
    module = section[1] if section[0] == "modules" else None
    found = [
        Finding(*_explain(detail, table, section, model, values), module)
        for detail in error.errors(include_url=False)
    ]
    # Alternatives of a union may say the same.
    return list(dict.fromkeys(found))


def unvalidated(
    error: BaseException,
    table: Mapping[str, Any],
    section: Path,
    model: type[BaseModel],
    values: Values,
) -> Finding:
    """Return a finding for a validator that fails instead of refusing what it is given."""
    message = _without_hidden(f"{error}", table, redacted_option((), table, model))
    raised = f"its validation raised {type(error).__name__}: {message}."
    detail = f"{values.origin(section)}: {key_name(section, ())}: {raised}"
    remedy = "Let the validator of the module raise ValueError, with what to write instead."
    module = section[1] if section[0] == "modules" else None
    return Finding(rules.BAD_VALUE, detail, remedy, module)


def _explain(
    detail: ErrorDetails,
    table: Mapping[str, Any],
    section: Path,
    model: type[BaseModel],
    values: Values,
) -> tuple[Rule, str, str]:
    """Return the rule, what is wrong and the remedy of one mistake."""
    is_missing = detail["type"] == "missing"
    location = detail["loc"]
    present, missing = (location[:-1], location[-1:]) if is_missing else (location, ())
    present = without_tags(present, model, table)
    place = (*present, *missing)
    origin = values.origin((*section, *map(str, present)))
    where = f"{origin}: {place_name(section, place)}"
    if detail["type"] == "extra_forbidden":
        return rules.UNKNOWN_KEY, f"{where} is not an option.", _known_options(place, model)
    shown = redacted_option(place, detail["input"], model)
    if is_secret_option(location, model, tags=True):
        # A tag of a union may be a key of the table as well.
        shown = HIDDEN
    detail["msg"] = _without_hidden(detail["msg"], detail["input"], shown)
    if not place:
        return rules.BAD_VALUE, f"{where}: {_message(detail)}.", ""
    remedy = advice(detail, values.variable((*section, *map(str, place))))
    if is_missing:
        return rules.BAD_VALUE, f"{where} is missing.", remedy
    return rules.BAD_VALUE, f"{where} is {shown!r}.", remedy


def _without_hidden(message: str, value: Any, shown: Any) -> str:
    """Return the message of a validator, which may repeat what it was given."""
    for hidden, instead in _hidden_texts(value, shown):
        for written in (repr(hidden)[1:-1], hidden):
            message = message.replace(written, instead)
    return message


def _hidden_texts(value: Any, shown: Any) -> Iterator[tuple[str, str]]:
    """Yield each text in a value that is not shown as it is, with what is shown instead."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _hidden_texts(below, HIDDEN if shown == HIDDEN else shown[key])
    elif isinstance(value, list | tuple):
        for at, each in enumerate(value):
            yield from _hidden_texts(each, HIDDEN if shown == HIDDEN else shown[at])
    elif value not in ("", None, shown) and not isinstance(value, bool):
        yield str(value), str(shown)


def key_name(section: Path, location: Path) -> str:
    """Return a key as in the file: `[section] key`."""
    *tables, key = (*section, *location) if location else (*section, "")
    return f"[{'.'.join(tables)}] {key}".rstrip()


def place_name(section: Path, location: Place) -> str:
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
    kind: str = detail["type"]
    if kind in _SIZES:
        # A text may be that of a secret, of which pydantic does not say what it is.
        kind = f"{_SIZED.get(type(detail['input']), '')}{kind}"
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


def _known_options(place: Place, model: type[BaseModel]) -> str:
    key = str(place[-1])
    # An option of another alternative of a union has the same name.
    models = models_at(place[:-1], model)
    options = [name for each in models for name in options_in(each) if name != key]
    similar = get_close_matches(key, options, 1)
    if similar:
        return f"Did you mean {similar[0]!r}?"
    return f"The options are: {', '.join(options)}." if options else "There are no options here."
