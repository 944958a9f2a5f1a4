"""The operations of the API, by module, each with its fields, answers and a request to try."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from modhost.web.reference.schemas import Field, Json, Kind, Schemas

JSON_TYPE: Final = "application/json"
_METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Body:
    """What a request may have as its body."""

    media_type: str
    kind: Kind
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a successful request is answered with; the kind is None without a body."""

    status: str
    phrase: str
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Attributes:
        method: in capital letters.
        path: with its parameters in braces.
        summary: what it does, in a sentence.
        note: what it needs, in Markdown; empty for nothing.
        parameters: those of the path, the query and the headers.
        bodies: one for each media type.
        answers: of successful requests.
        errors: the statuses of refused requests, with their phrases.
        sample: a call of `curl`.

    """

    method: str
    path: str
    summary: str
    note: str
    parameters: Sequence[Field]
    bodies: Sequence[Body]
    answers: Sequence[Answer]
    errors: Sequence[str]
    sample: str

    @property
    def anchor(self) -> str:
        """Its place on the page."""
        words = "".join(each if each.isalnum() else "-" for each in self.path)
        return f"{self.method.lower()}{words}".rstrip("-")


@dataclass(frozen=True, slots=True)
class Section:
    """The operations of a module."""

    module: str
    operations: Sequence[Operation]

    @property
    def title(self) -> str:
        """The name of the module as people read it."""
        return self.module.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Model:
    """A schema that operations refer to."""

    name: str
    title: str
    description: str
    kind: Kind
    fields: Sequence[Field]


class ApiReference:
    """Reads a document of OpenAPI.

    Args:
        document: as `OpenApi` writes it.
        url: the address in front of all paths of the samples.

    """

    def __init__(self, document: Json, url: str) -> None:
        self._document = document
        self._url = url.rstrip("/")
        self._schemas = Schemas(document["components"]["schemas"])

    def sections(self) -> Sequence[Section]:
        """Return the operations of each module, in the order of the document."""
        found: dict[str, list[Operation]] = {}
        for path, methods in self._document["paths"].items():
            for method in filter(methods.__contains__, _METHODS):
                operation = methods[method]
                found.setdefault(operation["tags"][0], []).append(
                    self._operation(method.upper(), path, operation)
                )
        return [Section(module, operations) for module, operations in found.items()]

    def models(self) -> Sequence[Model]:
        """Return the schemas that operations refer to, and those that these refer to, by name."""
        return [self._model(name) for name in self._schemas.referred_by(self._document["paths"])]

    def _model(self, name: str) -> Model:
        schema = self._schemas.named(name)
        return Model(
            name,
            str(schema.get("title", name)),
            str(schema.get("description", "")),
            self._schemas.kind(schema),
            self._schemas.fields(schema),
        )

    def _operation(self, method: str, path: str, operation: Json) -> Operation:
        content: Mapping[str, Json] = operation.get("requestBody", {}).get("content", {})
        schemas = {media: each["schema"] for media, each in content.items()}
        answers = operation["responses"]
        return Operation(
            method,
            path,
            operation["summary"],
            operation.get("description", ""),
            [self._parameter(each) for each in operation["parameters"]],
            [self._body(media, schema) for media, schema in schemas.items()],
            [self._answer(status, answers[status]) for status in answers if status < "400"],
            [f"{status} {answers[status]['description']}" for status in answers if status >= "400"],
            self._sample(method, path, operation, schemas),
        )

    def _parameter(self, parameter: Json) -> Field:
        name, schema, place = parameter["name"], parameter["schema"], parameter["in"]
        return self._schemas.field(name, schema, place, is_required=parameter["required"])

    def _body(self, media_type: str, schema: Json) -> Body:
        return Body(media_type, self._schemas.kind(schema), self._schemas.fields(schema))

    def _answer(self, status: str, answer: Json) -> Answer:
        schemas = [each["schema"] for each in answer.get("content", {}).values()]
        return Answer(
            status, answer["description"], self._schemas.kind(schemas[0]) if schemas else None
        )

    def _sample(self, method: str, path: str, operation: Json, schemas: Mapping[str, Json]) -> str:
        parts = ["curl"] if method == "GET" else ["curl", "-X", method]
        parts.append(shlex.quote(self._url + self._target(path, operation["parameters"])))
        lines = [" ".join(parts)]
        if operation.get("security"):
            lines.append('-H "Authorization: Bearer $TOKEN"')
        if schemas:
            media_type = JSON_TYPE if JSON_TYPE in schemas else next(iter(schemas))
            lines.append(f"-H {shlex.quote(f'Content-Type: {media_type}')}")
            lines.append(f"--data {shlex.quote(self._content(media_type, schemas[media_type]))}")
        return " \\\n  ".join(lines)

    def _content(self, media_type: str, schema: Json) -> str:
        value = self._schemas.example(schema)
        if media_type.endswith("json"):
            return json.dumps(value, ensure_ascii=False)
        return urlencode(value) if isinstance(value, Mapping) else str(value)

    def _target(self, path: str, parameters: Iterable[Mapping[str, Any]]) -> str:
        """Return a path with an example of each parameter that it needs."""
        query = {}
        for each in parameters:
            value = self._schemas.example(each["schema"])
            if each["in"] == "path":
                path = path.replace(f"{{{each['name']}}}", quote(str(value), safe=""))
            elif each["in"] == "query" and each["required"]:
                query[each["name"]] = value
        return f"{path}?{urlencode(query, doseq=True)}" if query else path
