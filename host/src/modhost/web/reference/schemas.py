"""The schemas of an OpenAPI document in words, with their fields and an example of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]

_NO_FIELDS: Final[Json] = {}
_BOUNDS: Final = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "as {}",
}
_OF_FORMAT: Final = {
    "uuid": "0190b6c4-8d2e-7c31-9a54-3f6e2b1d7c80",
    "date-time": "2030-01-31T12:00:00Z",
    "date": "2030-01-31",
    "duration": "PT30S",
}
_OF_TYPE: Final[Json] = {"boolean": True, "string": "text", "null": None}


@dataclass(frozen=True, slots=True)
class Kind:
    """What values are allowed: in words, and the name of the schema that has more of it."""

    words: str
    schema: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object, or a parameter of an operation; `place` is where a parameter stands."""

    name: str
    kind: Kind
    is_required: bool
    description: str = ""
    place: str = ""


class Schemas:
    """The schemas that a document defines.

    Args:
        definitions: the schemas by their names, as `components` has them.

    """

    def __init__(self, definitions: Mapping[str, Json]) -> None:
        self._definitions = definitions

    def referred_by(self, part: object) -> Sequence[str]:
        """Return the names of what a part of the document refers to, sorted."""
        found: set[str] = set()
        waiting = [part]
        while waiting:
            each = waiting.pop()
            if isinstance(each, Mapping):
                waiting += each.values()
                if (name := _referred(each)) and name not in found:
                    found.add(name)
                    waiting.append(self._definitions[name])
            elif isinstance(each, list):
                waiting += each
        return sorted(found)

    def named(self, name: str) -> Json:
        """Return the schema of a name."""
        return self._definitions[name]

    def kind(self, schema: Json) -> Kind:
        """Return what values a schema allows."""
        if name := _referred(schema):
            return Kind(str(self._definitions[name].get("title", name)), name)
        if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            kinds = [self.kind(each) for each in options]
            named = next((each.schema for each in kinds if each.schema), "")
            return Kind(" or ".join(each.words for each in kinds), named)
        if "const" in schema:
            return Kind(f"always {_shown(schema['const'])}")
        if "enum" in schema:
            return Kind(" or ".join(_shown(each) for each in schema["enum"]))
        if schema.get("type") == "array":
            of = self.kind(schema.get("items", {}))
            return Kind(_with_bounds(f"array of {of.words}", schema), of.schema)
        if "additionalProperties" in schema and not schema.get("properties"):
            of = self.kind(_as_schema(schema["additionalProperties"]))
            return Kind(f"object of {of.words} by name", of.schema)
        words = str(schema.get("format") or schema.get("type") or "anything")
        return Kind(_with_bounds(words, schema))

    def fields(self, schema: Json, place: str = "") -> Sequence[Field]:
        """Return the fields of an object, none of anything else."""
        schema = self._resolved(schema)
        required = schema.get("required", ())
        return [
            self.field(name, each, place, is_required=name in required)
            for name, each in schema.get("properties", _NO_FIELDS).items()
        ]

    def field(self, name: str, schema: Json, place: str = "", *, is_required: bool) -> Field:
        """Return a field of a schema."""
        kind = self.kind(schema)
        if schema.get("default") not in (None, [], {}):
            kind = Kind(f"{kind.words}, {_shown(schema['default'])} by default", kind.schema)
        return Field(name, kind, is_required, str(schema.get("description", "")), place)

    def example(self, schema: Json, within: frozenset[str] = frozenset()) -> object:
        """Return a value that a schema allows; `within` are the schemas that it is part of."""
        if (name := _referred(schema)) in within:
            return None
        if name:
            return self.example(self._definitions[name], within | {name})
        if schema.get("examples"):
            return schema["examples"][0]
        for key in ("const", "default"):
            if schema.get(key) is not None:
                return schema[key]
        if "enum" in schema:
            return schema["enum"][0]
        if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            return self.example(options[0], within)
        if schema.get("type") == "array":
            items = self.example(schema.get("items", {}), within)
            return [] if items is None else [items]
        if schema.get("type") == "object":
            properties = schema.get("properties", _NO_FIELDS)
            # What is nothing by default is left out, unless an example says what it may be.
            given = {
                name: each
                for name, each in properties.items()
                if each.get("default", 0) is not None or each.get("examples")
            }
            return {
                name: self.example(each, within) for name, each in (given or properties).items()
            }
        if schema.get("type") in {"integer", "number"}:
            return schema.get("minimum", 1)
        return _OF_FORMAT.get(schema.get("format", ""), _OF_TYPE.get(schema.get("type", ""), {}))

    def _resolved(self, schema: Json) -> Json:
        while name := _referred(schema):
            schema = self._definitions[name]
        return schema


def _referred(schema: Json) -> str:
    """Return the name of the schema that this one stands for; empty for its own."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _as_schema(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _with_bounds(words: str, schema: Json) -> str:
    return ", ".join(
        [words, *(s.format(schema[key]) for key, s in _BOUNDS.items() if key in schema)]
    )


def _shown(value: object) -> str:
    """Return a value as JSON has it, in one line."""
    return json.dumps(value, ensure_ascii=False)
