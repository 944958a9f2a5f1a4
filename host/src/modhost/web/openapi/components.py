"""The parts of the API's description that all endpoints share."""

from collections.abc import Iterable
from typing import Any, Final

from starlette.routing import compile_path

from modhost.permissions import Anyone
from modhost.web.binding.parameters import Source
from modhost.web.problems import PROBLEM_MEDIA_TYPE, phrase
from modhost.web.routing.declarations import Declaration

_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

# A dot cannot be part of the name of a class, so no module's model has this name.
_PROBLEM_NAME: Final = "modhost.Problem"

COMPONENTS: Final[dict[str, Any]] = {
    "schemas": {_PROBLEM_NAME: _PROBLEM},
    "securitySchemes": {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token made by `modhost tokens create`.",
        }
    },
}


def problem_responses(declared: Declaration, errors: Iterable[int]) -> dict[str, Any]:
    """Return the problems that an endpoint may answer with, its own errors included."""
    statuses = {*_statuses(declared), *errors}
    return {str(status): _response(status) for status in sorted(statuses)}


def _statuses(declared: Declaration) -> Iterable[int]:
    if not isinstance(declared.permission, Anyone):
        yield from (401, 403)
    if compile_path(declared.path)[2]:
        yield 404
    if declared.binding.of(Source.QUERY):
        yield 422
    if declared.binding.of(Source.BODY) or declared.binding.of(Source.FORM) or declared.accepts:
        yield from (400, 413, 415, 422)


def _response(status: int) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{_PROBLEM_NAME}"}
    return {"description": phrase(status), "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}}
