"""Spellings that pydantic would read, and that the host refuses."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from modhost.permissions import ANYONE
from modhost.web import Body, Form, Query
from web.serving import Serving

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Wanted(BaseModel):
    page: int = 1
    at: datetime | None = None
    owner: UUID | None = None
    name: str = ""
    tags: list[str] = []
    kind: Annotated[str, Field(validation_alias="type")] = ""


class Nested(BaseModel):
    parts: list[Wanted] = []
    notes: dict[str, str] = {}
    size: int = 0


async def by_query(query: Query[Wanted]) -> Wanted:
    return query


async def by_form(form: Form[Wanted]) -> Wanted:
    return form


async def by_body(body: Body[Nested]) -> Nested:
    return body


async def by_id(owner: UUID) -> UUID:
    return owner


async def by_name(name: str) -> str:
    return name


@pytest.fixture
def serving() -> Serving:
    serving = Serving()
    serving.web.endpoints.get("/", by_query, permission=ANYONE)
    serving.web.endpoints.post("/form", by_form, permission=ANYONE)
    serving.web.endpoints.post("/body", by_body, permission=ANYONE)
    serving.web.endpoints.get("/ids/{owner}", by_id, permission=ANYONE)
    serving.web.endpoints.get("/names/{name}", by_name, permission=ANYONE)
    return serving


ODD = [
    ("name", "a\0b"),
    ("type", "\0"),
    ("tags", "\0"),
    ("page", "1_000"),
    ("page", "1.0"),
    ("page", " 1"),
    ("at", "1700000000"),
    ("at", "1700000000.5"),
    ("owner", f"urn:uuid:{ID}"),
    ("owner", f"{{{ID}}}"),
    ("owner", ID.replace("-", "")),
]


def test_an_odd_spelling_in_query_or_form_is_422_and_names_the_field(serving: Serving) -> None:
    with serving.client() as client:
        for field, text in ODD:
            for response in (
                client.get("/api/things", params={field: text}),
                client.post("/api/things/form", data={field: text}),
            ):
                assert response.status_code == 422, (field, text)
                (error,) = response.json()["errors"]
                assert error["field"].partition(".")[0] == field
                assert error["message"].endswith(".")


def test_the_documented_spellings_are_read(serving: Serving) -> None:
    good = {"page": "1000", "at": "2026-01-31T09:30:00Z", "owner": ID.upper(), "tags": ["a", "b"]}
    with serving.client() as client:
        answer = client.get("/api/things", params=good).json()
        assert client.post("/api/things/form", data=good).json() == answer
        assert client.get(f"/api/things/ids/{ID.upper()}").json() == ID
    assert (answer["page"], answer["owner"], answer["tags"]) == (1000, ID, ["a", "b"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parts": [{}, {"name": "\0"}]}, "parts.1.name"),
        ({"parts": [{"tags": ["a", "\0"]}]}, "parts.0.tags.1"),
        ({"notes": {"a": "\0"}}, "notes.a"),
        ({"notes": {"\0": "a"}}, "notes"),
        ({"unknown": ["\0"]}, "unknown.0"),
        ({"parts": [{"at": 1700000000}]}, "parts.0.at"),
        ({"parts": [{"at": "1700000000"}]}, "parts.0.at"),
        ({"parts": [{"owner": ID.replace("-", "")}]}, "parts.0.owner"),
        ({"size": "5"}, "size"),
    ],
)
def test_an_odd_value_in_a_body_is_422_and_names_its_place(
    serving: Serving, body: dict[str, object], field: str
) -> None:
    with serving.client() as client:
        response = client.post("/api/things/body", json=body)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_an_odd_spelling_in_the_path_is_like_an_unknown_id(serving: Serving) -> None:
    paths = [f"ids/urn:uuid:{ID}", f"ids/%7B{ID}%7D", f"ids/{ID.replace('-', '')}", "names/a%00"]
    with serving.client() as client:
        assert [client.get(f"/api/things/{path}").status_code for path in paths] == [404] * 4
