"""Pydantic's adapters, made at start so that a type that cannot be used stops the start."""

from typing import Any, Literal, cast

from pydantic import TypeAdapter
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError


class UnusableType(Exception):
    """An annotation that cannot be read, validated, serialised or documented."""


def adapter_for(
    annotation: object, mode: Literal["validation", "serialization"]
) -> TypeAdapter[Any]:
    """Return the adapter of a type, with a JSON schema. Raises `UnusableType`."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", annotation))
        adapter.json_schema(mode=mode)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        msg = f"{annotation} is nothing that pydantic can use: {str(error).splitlines()[0]}"
        raise UnusableType(msg) from error
    return adapter
