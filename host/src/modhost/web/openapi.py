"""The description of the API (OpenAPI 3.1), made from the declarations of the endpoints."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from pydantic import TypeAdapter
from starlette.routing import compile_path

from modhost.permissions import Anyone
from modhost.web.binding.body import FORM_MEDIA_TYPES, header_name
from modhost.web.binding.parameters import Parameter, Source
from modhost.web.problems import PROBLEM_MEDIA_TYPE, phrase
from modhost.web.routing.declarations import Declaration
from modhost.web.routing.module_web import ModuleWeb

Json: TypeAlias = dict[str, Any]
Mode: TypeAlias = Literal["validation", "serialization"]

_BODY_MEDIA_TYPES: Final = {Source.BODY: ("application/json",), Source.FORM: FORM_MEDIA_TYPES}

# A dot cannot be part of the name of a class, so no module's model has this name.
_PROBLEM_NAME: Final = "modhost.Problem"
_PROBLEM: Final[Json] = {
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
_SECURITY_SCHEMES: Final[Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token made by `modhost tokens create`.",
    }
}


class OpenApi:
    """Writes the document. Only endpoints are part of it; pages are for people."""

    def __init__(self, modules: Sequence[ModuleWeb], version: str, public_url: str = "") -> None:
        self._modules = modules
        self._servers = [{"url": public_url.rstrip("/")}] if public_url else []
        self._version = version
        self._schemas, definitions = TypeAdapter.json_schemas(
            list(self._adapters()), ref_template="#/components/schemas/{model}"
        )
        self._definitions: dict[str, Json] = definitions.get("$defs", {})

    def document(self) -> Json:
        """Return the document."""
        paths: dict[str, Json] = {}
        for module in self._modules:
            for declared in module.endpoints.declared:
                errors = {**module.endpoints.mapped_errors, **declared.errors}
                path = paths.setdefault(compile_path(declared.path)[1], {})
                path[declared.method.lower()] = self._operation(declared, errors.values())
        return {
            "openapi": "3.1.0",
            "info": {"title": "modhost", "version": self._version},
            **({"servers": self._servers} if self._servers else {}),
            "paths": paths,
            "components": {
                "schemas": self._definitions | {_PROBLEM_NAME: _PROBLEM},
                "securitySchemes": _SECURITY_SCHEMES,
            },
        }

    def _adapters(self) -> Iterable[tuple[tuple[int, str], Mode, TypeAdapter[Any]]]:
        for declared in (each for module in self._modules for each in module.endpoints.declared):
            for parameter in declared.binding.parameters:
                if parameter.adapter is not None:
                    yield (id(declared), parameter.name), "validation", parameter.adapter
            for media_type, adapter in declared.accepts.items():
                yield (id(declared), media_type), "validation", adapter
            if declared.result.adapter is not None:
                yield (id(declared), "return"), "serialization", declared.result.adapter

    def _schema(self, declared: Declaration, name: str) -> Json:
        mode: Mode = "serialization" if name == "return" else "validation"
        return {"schema": self._schemas[(id(declared), name), mode]}

    def _operation(self, declared: Declaration, errors: Iterable[int]) -> Json:
        problems = sorted({*_problem_statuses(declared), *errors})
        operation: Json = {
            "operationId": f"{declared.module}.{declared.method.lower()}.{declared.path}",
            "tags": [declared.module],
            "summary": declared.summary,
            "parameters": self._parameters(declared),
            "responses": self._success(declared)
            | {str(status): _problem_response(status) for status in problems},
        }
        body = self._body(declared)
        if body:
            operation["requestBody"] = body
        if declared.permission is not None and not isinstance(declared.permission, Anyone):
            operation["security"] = [{"bearer": []}]
            operation["description"] = f"Needs the permission `{declared.permission.name}`."
        return operation

    def _success(self, declared: Declaration) -> Json:
        returns_json = declared.result.adapter is not None
        has_body = returns_json or declared.result.is_sent_as_it_is
        status = declared.status if has_body or declared.status != 200 else 204
        response: Json = {"description": phrase(status)}
        if returns_json:
            response["content"] = {"application/json": self._schema(declared, "return")}
        return {str(status): response}

    def _parameters(self, declared: Declaration) -> list[Json]:
        path = [
            {"name": each.name, "in": "path", "required": True, **self._schema(declared, each.name)}
            for each in declared.binding.of(Source.PATH)
        ]
        others = [*declared.binding.of(Source.QUERY), *declared.binding.of(Source.HEADER)]
        return path + [field for each in others for field in self._fields(declared, each)]

    def _fields(self, declared: Declaration, parameter: Parameter) -> list[Json]:
        schema = self._schema(declared, parameter.name)["schema"]
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        required = schema.get("required", ())
        source = parameter.source
        return [
            {
                "name": header_name(name) if source is Source.HEADER else name,
                "in": source.value,
                "required": name in required,
                "schema": field,
            }
            for name, field in schema.get("properties", {}).items()
        ]

    def _body(self, declared: Declaration) -> Json | None:
        for source, media_types in _BODY_MEDIA_TYPES.items():
            for parameter in declared.binding.of(source):
                content = dict.fromkeys(media_types, self._schema(declared, parameter.name))
                return {"required": not parameter.optional, "content": content}
        if declared.accepts:
            content = {media: self._schema(declared, media) for media in declared.accepts}
            return {"required": True, "content": content}
        return None


def _problem_statuses(declared: Declaration) -> Iterable[int]:
    if not isinstance(declared.permission, Anyone):
        yield from (401, 403)
    if compile_path(declared.path)[2]:
        yield 404
    if declared.binding.of(Source.QUERY) or declared.binding.of(Source.HEADER):
        yield 422
    if declared.binding.of(Source.BODY) or declared.binding.of(Source.FORM) or declared.accepts:
        yield from (400, 413, 415, 422)


def _problem_response(status: int) -> Json:
    schema = {"$ref": f"#/components/schemas/{_PROBLEM_NAME}"}
    return {"description": phrase(status), "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}}
