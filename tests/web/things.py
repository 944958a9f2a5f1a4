"""Endpoints of things, as a module might have them."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, NewType
from uuid import UUID

import httpx2
from pydantic import BaseModel, Field

from modhost.web import Body, Query, Reply

ThingId = NewType("ThingId", UUID)
KNOWN = ThingId(UUID("01890a5d-ac96-774b-bcce-b302099a8057"))


class Colour(Enum):
    RED = "Red"
    BLUE = "Blue"


class ThingFilter(BaseModel):
    colour: Colour | None = None
    tags: list[str] = []
    page_size: Annotated[int, Field(ge=1, le=200)] = 20


class Thing(BaseModel):
    id: ThingId
    name: str
    made_at: datetime


class NewPart(BaseModel):
    size: int


class NewThing(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    parts: list[NewPart] = []


class ThingNotFound(Exception):
    pass


class Things:
    def find(self, thing_id: ThingId) -> Thing:
        if thing_id != KNOWN:
            msg = f"There is no thing {thing_id}."
            raise ThingNotFound(msg)
        return Thing(id=thing_id, name="spade", made_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC))


async def get_thing(id: ThingId, things: Things) -> Thing:  # noqa: A002
    """Return a thing."""
    return things.find(id)


async def list_things(query: Query[ThingFilter]) -> ThingFilter:
    return query


async def create_thing(thing: Body[NewThing]) -> Reply[dict[str, str]]:
    return Reply({"name": thing.name}, 202, {"Location": "/api/things/1"})


def assert_problem(response: httpx2.Response, status: int) -> dict[str, object]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = response.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert str(problem["detail"]).endswith(".")
    return problem
