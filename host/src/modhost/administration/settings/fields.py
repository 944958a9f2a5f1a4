"""Fields of settings: their kinds, and their values as JSON and as texts that people type."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from modhost.configuration.option_types import names_of, type_of
from modhost.configuration.redaction import is_secret_option
from modhost.durations import format_duration

Kind = Literal["boolean", "integer", "number", "string", "choice", "list"]

_KINDS: Final[tuple[Kind, ...]] = ("boolean", "integer", "number", "string")
_UNEDITABLE: Final = ("binary", "password", "path", "file-path", "directory-path")
_LONG: Final = 200
# What JSON may be sent for a field, and in words.
_TAKES: Final[Mapping[Kind, tuple[tuple[type, ...], str]]] = {
    "boolean": ((bool,), "true or false"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float, str), "a number"),
    "string": ((int, float, str), "a text"),
    "choice": ((bool, int, float, str), "one of the choices"),
    "list": ((list,), "a list"),
}


class UnusableField(Exception):
    """A field that administrators could not change, with the reason and the remedy."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class SettingField:
    """A field of a model of settings.

    Attributes:
        label: what people call it.
        choices: the values of a `choice`, by their texts.
        schema: the JSON schema of its values.

    """

    name: str
    label: str
    description: str
    kind: Kind
    is_optional: bool
    choices: Mapping[str, Any]
    schema: Mapping[str, Any]

    @classmethod
    def of(cls, model: type[BaseModel], name: str) -> "SettingField":
        """Read a field of a model. Raises `UnusableField`."""
        info = model.model_fields[name]
        if is_secret_option((name,), model):
            remedy = "Make it an option: secrets belong in the configuration, or in a file."
            raise UnusableField("is a secret, by its type or by its name.", remedy)
        if info.is_required():
            raise UnusableField("has no default.", "Give it one, to which people can go back.")
        if names_of(model, name) != [name]:
            raise UnusableField("has an alias.", "Name the field as people shall write it.")
        schema, is_optional = _schema_of(info)
        choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
        return cls(
            name,
            info.title or name.replace("_", " ").capitalize(),
            info.description or "",
            "choice" if choices else _kind_of(schema),
            is_optional,
            {as_text(each): each for each in choices},
            schema,
        )

    @property
    def is_long(self) -> bool:
        """Whether its texts need several lines."""
        return self.kind == "list" or (
            self.kind == "string" and self.schema.get("maxLength", 0) > _LONG
        )

    @property
    def bounds(self) -> str:
        """The bounds of its numbers in words; empty without any."""
        low, high = self.schema.get("minimum"), self.schema.get("maximum")
        if low is not None and high is not None:
            return f"{low:,} to {high:,}"
        if low is not None:
            return f"{low:,} or more"
        return f"{high:,} or less" if high is not None else ""

    def parse(self, text: str) -> Any:
        """Return what a text stands for, not validated yet: a list has its items on lines."""
        if self.is_optional and text in ("", "null"):
            return None
        if self.kind == "list":
            if text.startswith("["):
                try:
                    return json.loads(text)
                except (ValueError, RecursionError):
                    return text
            return [line.strip() for line in text.splitlines() if line.strip()]
        if self.kind == "string":
            return text.replace("\r\n", "\n")
        return self.choices.get(text, text.strip())

    def refusal(self, value: Any) -> str:
        """Return why JSON is not of the kind of the field; empty when it is."""
        if value is None and self.is_optional:
            return ""
        kinds, words = _TAKES[self.kind]
        # In Python, true and false are numbers.
        is_right = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        return "" if is_right else f"Send {words}."


def written(value: Any) -> Any:
    """Return the value of a setting as JSON, as people write it."""
    return format_duration(value) if isinstance(value, timedelta) else to_jsonable_python(value)


def as_text(value: Any) -> str:
    """Return a value of JSON as the text that `SettingField.parse` reads."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            return "\n".join(map(as_text, value))
        case _:
            return str(value)


def _schema_of(info: FieldInfo) -> tuple[Mapping[str, Any], bool]:
    """Return the schema of a field without null, and whether it may be null."""
    try:
        schema = TypeAdapter(type_of(info)).json_schema()
    except PydanticUserError as error:
        raise _no_field() from error
    definitions = schema.get("$defs", {})
    given = [
        definitions[each["$ref"].rpartition("/")[2]] if "$ref" in each else each
        for each in schema.get("anyOf", [schema])
    ]
    values = [each for each in given if each.get("type") != "null"]
    is_number = [each.get("type") for each in values] == ["number", "string"]  # a Decimal
    if len(values) != 1 and not is_number:
        raise _no_field()
    return values[0], len(values) < len(given)


def _kind_of(schema: Mapping[str, Any]) -> Kind:
    kind = schema.get("type")
    if kind == "array" and schema.get("items", {}).get("type") in ("string", "integer", "number"):
        return "list"
    for each in _KINDS:
        if kind == each and schema.get("format") not in _UNEDITABLE:
            return each
    raise _no_field()


def _no_field() -> UnusableField:
    remedy = "Use a truth value, a number, a text, a duration, a choice, or a list of texts or "
    return UnusableField("is of a type for which no form has a field.", f"{remedy}numbers.")
