"""The description of the API (OpenAPI 3.1), made of what the endpoints declare."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, TypeAlias

from pydantic import TypeAdapter
from starlette.routing import compile_path

from modhost.permissions import Anyone
from modhost.web.binding.parameters import Parameter, Source
from modhost.web.openapi.components import COMPONENTS, problem_responses
from modhost.web.problems import phrase
from modhost.web.routing.declarations import Declaration
from modhost.web.routing.modules import ModuleWeb

Json: TypeAlias = dict[str, Any]
Mode: TypeAlias = Literal["validation", "serialization"]

_BODY_MEDIA_TYPES: Final = {
    Source.BODY: ("application/json",),
    Source.FORM: ("application/x-www-form-urlencoded", "multipart/form-data"),
}


class OpenApi:
    """Writes the document. Only endpoints are part of it; pages are for people."""

    def __init__(self, modules: Sequence[ModuleWeb], version: str) -> None:
        self._modules = modules
        self._version = version
        self._declared = [each for module in modules for each in module.endpoints.declared]
        self._schemas, definitions = TypeAdapter.json_schemas(
            list(self._adapters()), ref_template="#/components/schemas/{model}"
        )
        self._definitions: dict[str, Json] = definitions.get("$defs", {})

    def as_json(self) -> bytes:
        """Return the document as JSON."""
        return json.dumps(self.document(), ensure_ascii=False).encode()

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
            "paths": paths,
            "components": {**COMPONENTS, "schemas": self._definitions | COMPONENTS["schemas"]},
        }

    def _adapters(self) -> Iterable[tuple[tuple[int, str], Mode, TypeAdapter[Any]]]:
        for declared in self._declared:
            for parameter in declared.binding.parameters:
                if parameter.adapter is not None:
                    yield (id(declared), parameter.name), "validation", parameter.adapter
            for media_type, adapter in declared.accepts.items():
                yield (id(declared), media_type), "validation", adapter
            if declared.result.adapter is not None:
                yield (id(declared), "return"), "serialization", declared.result.adapter

    def _schema(self, declared: Declaration, name: str) -> Json:
        mode: Mode = "serialization" if name == "return" else "validation"
        return self._schemas[(id(declared), name), mode]

    def _operation(self, declared: Declaration, errors: Iterable[int]) -> Json:
        operation: Json = {
            "operationId": f"{declared.module}.{declared.method.lower()}.{declared.path}",
            "tags": [declared.module],
            "summary": declared.summary,
            "parameters": self._parameters(declared),
            "responses": self._success(declared) | problem_responses(declared, errors),
        }
        body = self._body(declared)
        if body:
            operation["requestBody"] = body
        if declared.permission is not None and not isinstance(declared.permission, Anyone):
            operation["security"] = [{"bearer": []}]
            operation["description"] = f"Needs the permission `{declared.permission.name}`."
        return operation

    def _success(self, declared: Declaration) -> Json:
        adapter = declared.result.adapter
        returns_json = adapter is not None
        status = declared.status if returns_json or declared.status != 200 else 204
        response: Json = {"description": phrase(status)}
        if returns_json:
            response["content"] = {"application/json": {"schema": self._schema(declared, "return")}}
        return {str(status): response}

    def _parameters(self, declared: Declaration) -> list[Json]:
        path = [
            {
                "name": parameter.name,
                "in": "path",
                "required": True,
                "schema": self._schema(declared, parameter.name),
            }
            for parameter in declared.binding.of(Source.PATH)
        ]
        query = [
            field
            for parameter in declared.binding.of(Source.QUERY)
            for field in self._query_fields(declared, parameter)
        ]
        return path + query

    def _query_fields(self, declared: Declaration, parameter: Parameter) -> list[Json]:
        schema = self._schema(declared, parameter.name)
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        required = schema.get("required", ())
        return [
            {"name": name, "in": "query", "required": name in required, "schema": field}
            for name, field in schema.get("properties", {}).items()
        ]

    def _body(self, declared: Declaration) -> Json | None:
        for source, media_types in _BODY_MEDIA_TYPES.items():
            for parameter in declared.binding.of(source):
                schema = self._schema(declared, parameter.name)
                content = {media_type: {"schema": schema} for media_type in media_types}
                return {"required": not parameter.optional, "content": content}
        if declared.accepts:
            content = {
                media: {"schema": self._schema(declared, media)} for media in declared.accepts
            }
            return {"required": True, "content": content}
        return None
