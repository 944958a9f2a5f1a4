"""How the query string is read."""

import pytest
from pydantic import BaseModel, ConfigDict

from modhost.permissions import ANYONE
from modhost.web import Query
from web.serving import VIEWER, Serving
from web.things import assert_problem


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
