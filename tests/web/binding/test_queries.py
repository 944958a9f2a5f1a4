"""How the query string is read."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated
from uuid import UUID

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from modhost.permissions import ANYONE
from modhost.web import Form, Query
from web.serving import VIEWER, Serving
from web.things import KNOWN, assert_problem


class StrictFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    page: int = 1


def test_the_query_string_is_read_into_a_model(serving: Serving) -> None:
    query = "colour=Blue&tags=a&tags=b&page_size=7&unknown=1"
    with serving.client() as client:
        response = client.get(f"/api/things?{query}", headers=VIEWER)
    assert response.json() == {"colour": "Blue", "tags": ["a", "b"], "page_size": 7}


def test_an_empty_value_in_the_query_counts_as_not_given(serving: Serving) -> None:
    with serving.client() as client:
        response = client.get("/api/things?colour=&page_size=&tags=", headers=VIEWER)
    assert response.json() == {"colour": None, "tags": [], "page_size": 20}


class ListFilter(BaseModel):
    maybe: list[str] | None = None
    limited: Annotated[list[int] | None, Field(max_length=2)] = None
    ordered: Sequence[str] = ()
    different: AbstractSet[UUID] = frozenset()
    either: int | tuple[int, ...] = 0
    text: str = Field("", validation_alias=AliasChoices("q", "text"))
    words: list[str] = Field([], validation_alias=AliasChoices("word", "words"))


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("maybe=a", "maybe", ["a"]),
        ("maybe=a&maybe=b", "maybe", ["a", "b"]),
        ("maybe=", "maybe", None),
        ("limited=1&limited=2", "limited", [1, 2]),
        ("ordered=a&ordered=b", "ordered", ["a", "b"]),
        (f"different={KNOWN}&different={KNOWN}", "different", [str(KNOWN)]),
        ("either=1&either=2", "either", [1, 2]),
        ("q=x", "text", "x"),
        ("text=x", "text", "x"),
        ("word=a&words=b", "words", ["a", "b"]),
    ],
)
@pytest.mark.parametrize("way", ["query", "form"])
def test_a_field_that_may_be_a_list_takes_all_values_of_its_names(
    way: str, query: str, field: str, value: object
) -> None:
    serving = Serving()

    async def show(given: Query[ListFilter]) -> ListFilter:
        return given

    async def take(given: Form[ListFilter]) -> ListFilter:
        return given

    serving.web.endpoints.get("/", show, permission=ANYONE)
    serving.web.endpoints.post("/", take, permission=ANYONE)
    form = {"content-type": "application/x-www-form-urlencoded"}
    with serving.client() as client:
        if way == "query":
            answer = client.get(f"/api/things?{query}")
        else:
            answer = client.post("/api/things", content=query, headers=form)
    assert answer.status_code == 200, answer.text
    assert answer.json()[field] == value


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=x&text=y", ["q"]),
        ("limited=1&limited=2&limited=3", ["limited"]),
        ("different=x", ["different"]),
    ],
)
def test_what_does_not_fit_a_list_or_names_is_refused(query: str, names: list[str]) -> None:
    serving = Serving()

    async def show(given: Query[ListFilter]) -> ListFilter:
        return given

    serving.web.endpoints.get("/", show, permission=ANYONE)
    with serving.client() as client:
        problem = assert_problem(client.get(f"/api/things?{query}"), 422)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["field"].partition(".")[0] for error in errors] == names


def test_unknown_names_in_the_query_do_not_disturb_a_strict_model() -> None:
    serving = Serving()

    async def handler(query: Query[StrictFilter]) -> int:
        return query.page

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.get("/api/things?page=3&utm=x").json() == 3


@pytest.mark.parametrize(
    ("query", "field"), [("page_size=0", "page_size"), ("colour=Nonsense", "colour")]
)
def test_a_bad_value_in_the_query_is_422_and_names_the_field(
    serving: Serving, query: str, field: str
) -> None:
    with serving.client() as client:
        problem = assert_problem(client.get(f"/api/things?{query}", headers=VIEWER), 422)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == [field]
    assert all(error["message"] for error in errors)
    assert field in str(problem["detail"])


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("page_size=5&page_size=7", ["page_size"]),
        ("page_size=5&page_size=5", ["page_size"]),
        ("page_size=5&page_size=", ["page_size"]),
        ("colour=Red&page_size=5&colour=Blue&page_size=7", ["colour", "page_size"]),
        ("colour=Red&c%6Flour=Blue", ["colour"]),
    ],
)
def test_a_name_that_is_there_twice_is_refused(
    serving: Serving, query: str, names: list[str]
) -> None:
    with serving.client() as client:
        problem = assert_problem(client.get(f"/api/things?{query}", headers=VIEWER), 422)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == names
    assert errors[0]["message"].startswith("Give it once")


def test_a_list_and_an_unknown_name_may_be_repeated(serving: Serving) -> None:
    with serving.client() as client:
        response = client.get("/api/things?tags=a&tags=b&x=1&x=2", headers=VIEWER)
    assert response.json()["tags"] == ["a", "b"]
