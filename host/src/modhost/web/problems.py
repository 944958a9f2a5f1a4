"""Problem details (RFC 9457): the one shape of the API's errors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

_DETAILS: Final = {
    404: "Nothing is served at this address.",
    405: "This address does not answer to this method.",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value of the request; names of nested fields are joined by dots."""

    field: str
    message: str


class HttpProblem(Exception):
    """Raise it to answer with a problem.

    Args:
        status: the HTTP status, 400 to 599.
        detail: a sentence for the caller; it is sent, so it must hold no secrets.
        title: the kind of the problem; the name of the status unless given.
        type_uri: identifies the kind of the problem; `about:blank` says: see the status.
        errors: what is wrong with single values.
        headers: further headers of the response.

    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        title: str = "",
        type_uri: str = "about:blank",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.title = title or phrase(status)
        self.detail = detail or f"{self.title}."
        self.type_uri = type_uri
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        super().__init__(self.detail)

    def as_dict(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        document = {
            "type": self.type_uri,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return document | ({"errors": [asdict(e) for e in self.errors]} if self.errors else {})

    def response(self) -> Response:
        """Return the problem as `application/problem+json`."""
        body = json.dumps(self.as_dict(), ensure_ascii=False).encode()
        return Response(body, self.status, self.headers, PROBLEM_MEDIA_TYPE)


def phrase(status: int) -> str:
    """Return the name of a status, `Error` for one that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def unauthenticated() -> HttpProblem:
    """Return the problem of a caller without valid credentials."""
    detail = "Sign in, or send a valid token as 'Authorization: Bearer <token>'."
    return HttpProblem(401, detail, headers={"WWW-Authenticate": "Bearer"})


def invalid_fields(errors: Sequence[FieldError]) -> HttpProblem:
    """Return the problem 422 of these fields."""
    names = ", ".join(dict.fromkeys(each.field for each in errors))
    return HttpProblem(422, f"Some values cannot be used: {names}.", errors=errors)


def from_http_exception(error: HTTPException) -> HttpProblem:
    """Return Starlette's exception as a problem."""
    detail = error.detail
    if detail == phrase(error.status_code):
        detail = _DETAILS.get(error.status_code, "")
    return HttpProblem(error.status_code, detail, headers=error.headers)


def from_validation(error: ValidationError, source: str) -> HttpProblem:
    """Return pydantic's errors as a problem; `source` names what has no field name of its own."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return HttpProblem(400, f"The body is not JSON: {found[0]['msg']}.")
    return invalid_fields(
        [
            FieldError(
                ".".join(map(str, item["loc"])) or source,
                item["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, "),
            )
            for item in found
        ]
    )
