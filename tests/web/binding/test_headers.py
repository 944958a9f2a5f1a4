"""How headers are read into a model."""

from pydantic import BaseModel, ConfigDict, Field

from modhost.permissions import ANYONE
from modhost.web import Header
from web.serving import Serving
from web.things import assert_problem


class Conditions(BaseModel):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)
    request_tag: str = Field("", alias="Request-Tag")
    if_match: str | None = None
    max_age: int = 5
    prefer: list[str] = Field(default_factory=list, alias="Prefer")


async def handler(conditions: Header[Conditions]) -> Conditions:
    return conditions


def serving() -> Serving:
    serving = Serving()
    serving.web.endpoints.get("/conditions", handler, permission=ANYONE)
    return serving


def test_headers_are_read_into_a_model() -> None:
    with serving().client() as client:
        headers = [("If-Match", "abc"), ("MAX-AGE", "7"), ("Prefer", "a"), ("prefer", "b, c")]
        headers.append(("request-tag", "x"))
        answer = client.get("/api/things/conditions", headers=headers)
    expected = {"if_match": "abc", "max_age": 7, "Prefer": ["a", "b, c"], "Request-Tag": "x"}
    assert answer.json() == expected


def test_headers_that_are_not_there_have_their_defaults() -> None:
    with serving().client() as client:
        answer = client.get("/api/things/conditions", headers={"max-age": ""})
    assert answer.json() == {"if_match": None, "max_age": 5, "Prefer": [], "Request-Tag": ""}


def test_a_bad_value_in_a_header_is_422_and_names_the_field() -> None:
    with serving().client() as client:
        answer = client.get("/api/things/conditions", headers={"max-age": "long"})
    errors = assert_problem(answer, 422)["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == ["max_age"]
