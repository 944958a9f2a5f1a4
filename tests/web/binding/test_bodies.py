"""How bodies are read, and which are refused."""

import pytest
from starlette.requests import Request

from modhost.permissions import ANYONE
from modhost.web import Body, Form, read_json
from web.serving import MANAGER, Serving
from web.things import NewThing, assert_problem


def test_bad_fields_of_a_body_are_422_with_the_place_of_each(serving: Serving) -> None:
    body = {"name": "", "parts": [{"size": 1}, {"size": "big"}]}
    with serving.client() as client:
        problem = assert_problem(client.post("/api/things", json=body, headers=MANAGER), 422)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == ["name", "parts.1.size"]


def test_a_body_of_another_shape_is_422(serving: Serving) -> None:
    with serving.client() as client:
        problem = assert_problem(client.post("/api/things", json=[], headers=MANAGER), 422)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert errors[0]["field"] == "body"


@pytest.mark.parametrize("content", [b"{", b"", b'{"name": "\xff"}'])
def test_a_malformed_body_is_400(serving: Serving, content: bytes) -> None:
    headers = {**MANAGER, "Content-Type": "application/json"}
    with serving.client() as client:
        assert_problem(client.post("/api/things", content=content, headers=headers), 400)


@pytest.mark.parametrize("media_type", [{}, {"Content-Type": "text/plain"}])
def test_a_body_of_another_media_type_is_415(serving: Serving, media_type: dict[str, str]) -> None:
    headers = {**MANAGER, **media_type}
    with serving.client() as client:
        assert_problem(client.post("/api/things", content=b"{}", headers=headers), 415)


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "application/a+json"])
def test_json_is_recognised_by_its_media_type(serving: Serving, media_type: str) -> None:
    headers = {**MANAGER, "Content-Type": media_type}
    with serving.client() as client:
        response = client.post("/api/things", content=b'{"name": "x"}', headers=headers)
    assert response.status_code == 202


def test_a_body_over_the_limit_is_413(serving: Serving) -> None:
    body = {"name": "x" * 1024 * 1024}
    with serving.client() as client:
        assert_problem(client.post("/api/things", json=body, headers=MANAGER), 413)


def test_a_body_over_the_limit_without_an_announced_length_is_413() -> None:
    serving = Serving()

    async def handler(request: Request) -> int:
        return len(await request.body())

    serving.web.endpoints.post("/", handler, permission=ANYONE, body_limit=10)
    with serving.client() as client:
        assert client.post("/api/things", content=iter([b"12345", b"67890"])).json() == 10
        response = client.post("/api/things", content=iter([b"12345", b"678901"]))
    assert_problem(response, 413)


def test_a_large_body_of_an_anonymous_caller_is_401(serving: Serving) -> None:
    with serving.client() as client:
        assert_problem(client.post("/api/things", content=b"x" * 2**21), 401)


def test_a_body_may_be_left_out_where_it_has_a_default() -> None:
    serving = Serving()

    async def handler(thing: Body[NewThing | None] = None) -> str:
        return thing.name if thing else "nameless"

    serving.web.endpoints.post("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.post("/api/things").json() == "nameless"
        assert client.post("/api/things", json={"name": "x"}).json() == "x"


def test_a_form_is_read_into_a_model() -> None:
    serving = Serving()

    async def handler(thing: Form[NewThing]) -> str:
        return thing.name

    serving.web.endpoints.post("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.post("/api/things", data={"name": "spade"}).json() == "spade"
        assert_problem(client.post("/api/things", data={"other": "1"}), 422)
        assert_problem(client.post("/api/things", json={"name": "spade"}), 415)


def test_a_handler_may_choose_by_media_type_how_to_read_the_body() -> None:
    serving = Serving()

    async def handler(request: Request) -> str:
        return (await read_json(request, NewThing)).name

    serving.web.endpoints.post("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.post("/api/things", json={"name": "spade"}).json() == "spade"
        assert_problem(client.post("/api/things", json={}), 422)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"name": "a", "name": "b"}', ["name"]),
        ('{"name": "a", "n\\u0061me": "a"}', ["name"]),
        ('{"name": "a", "parts": [{"size": 1, "size": 2}]}', ["size"]),
        ('{"name": "a", "x": 1, "x": 2}', ["x"]),
        ('{"name": "a", "parts": [], "name": "b", "parts": []}', ["name", "parts"]),
    ],
)
def test_a_key_that_is_there_twice_is_refused(
    serving: Serving, body: str, names: list[str]
) -> None:
    headers = {**MANAGER, "Content-Type": "application/json"}
    with serving.client() as client:
        problem = assert_problem(client.post("/api/things", content=body, headers=headers), 422)
    errors = problem["errors"]
    assert isinstance(errors, list)
    assert [error["field"] for error in errors] == names


def test_a_field_of_a_form_that_is_there_twice_is_refused() -> None:
    serving = Serving()

    async def handler(thing: Form[NewThing]) -> str:
        return thing.name

    serving.web.endpoints.post("/", handler, permission=ANYONE)
    with serving.client() as client:
        answer = client.post("/api/things", data={"name": ["spade", "fork"]})
    assert_problem(answer, 422)
