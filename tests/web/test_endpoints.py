"""What endpoints take, what they answer, and which problems they tell."""

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Annotated, NewType
from uuid import UUID

import httpx2
import pytest
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from modhost.permissions import ANYONE, Principal
from modhost.services import Scope
from modhost.web import Body, Form, HttpProblem, Query, Reply, read_json
from web.serving import MANAGE, MANAGER, VIEW, VIEWER, Serving

ThingId = NewType("ThingId", UUID)
KNOWN = ThingId(UUID("01890a5d-ac96-774b-bcce-b302099a8057"))


class Colour(Enum):
    RED = "Red"
    BLUE = "Blue"


class ThingFilter(BaseModel):
    colour: Colour | None = None
    tags: list[str] = []
    page_size: Annotated[int, Field(ge=1, le=200)] = 20


class StrictFilter(BaseModel):
    model_config = ConfigDict(extra="forbid")
    page: int = 1


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


class ThingLocked(Exception):
    pass


class ThingBurning(ThingLocked):
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


@pytest.fixture
def serving() -> Serving:
    serving = Serving()
    serving.services.add_scoped(Things)
    serving.web.endpoints.map_error(ThingNotFound, 404)
    serving.web.endpoints.get("/{id}", get_thing, permission=VIEW)
    serving.web.endpoints.get("/", list_things, permission=VIEW)
    serving.web.endpoints.post("/", create_thing, permission=MANAGE)
    return serving


def assert_problem(response: httpx2.Response, status: int) -> dict[str, object]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, object] = response.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert str(problem["detail"]).endswith(".")
    return problem


def test_a_path_parameter_is_converted_and_services_are_injected(serving: Serving) -> None:
    with serving.client() as client:
        response = client.get(f"/api/things/{KNOWN}", headers=VIEWER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "id": str(KNOWN),
        "name": "spade",
        "made_at": "2026-01-31T09:30:00Z",
    }


def test_a_caller_without_credentials_gets_401(serving: Serving) -> None:
    with serving.client() as client:
        response = client.get("/api/things")
    assert_problem(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_caller_with_bad_credentials_gets_401(serving: Serving) -> None:
    with serving.client() as client:
        assert_problem(client.get("/api/things", headers={"Authorization": "Bearer x"}), 401)


def test_a_caller_without_the_permission_gets_403_that_names_it(serving: Serving) -> None:
    with serving.client() as client:
        problem = assert_problem(client.post("/api/things", json={}, headers=VIEWER), 403)
    assert "Things.Manage" in str(problem["detail"])


def test_permission_is_checked_before_the_path_is_read(serving: Serving) -> None:
    with serving.client() as client:
        assert_problem(client.get("/api/things/no-uuid"), 401)


@pytest.mark.parametrize("thing_id", ["no-uuid", "1", "0197a3b0-5f7e-7c2d-9a51-8c6e0f3b2d10"])
def test_an_unknown_id_and_one_that_is_no_uuid_are_both_404(
    serving: Serving, thing_id: str
) -> None:
    with serving.client() as client:
        problem = assert_problem(client.get(f"/api/things/{thing_id}", headers=VIEWER), 404)
    assert thing_id in str(problem["detail"])


def test_an_unknown_address_of_the_api_is_404_even_for_a_browser(serving: Serving) -> None:
    with serving.client() as client:
        response = client.get("/api/things/1/2/3", headers={"Accept": "text/html"})
    assert_problem(response, 404)


def test_another_method_is_405_and_all_allowed_ones_are_named(serving: Serving) -> None:
    with serving.client() as client:
        response = client.delete("/api/things", headers=MANAGER)
    assert_problem(response, 405)
    assert response.headers["allow"] == "GET, HEAD, POST"


def test_a_get_endpoint_answers_to_head(serving: Serving) -> None:
    with serving.client() as client:
        assert client.head("/api/things", headers=VIEWER).status_code == 200


@pytest.mark.parametrize("path", ["/api/things", "/api/things/", f"/api/things/{KNOWN}/"])
def test_a_path_answers_with_and_without_a_trailing_slash(serving: Serving, path: str) -> None:
    with serving.client() as client:
        assert client.get(path, headers=VIEWER).status_code == 200


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


def test_a_reply_sets_status_and_headers(serving: Serving) -> None:
    with serving.client() as client:
        response = client.post("/api/things/", json={"name": "spade"}, headers=MANAGER)
    assert response.status_code == 202
    assert response.headers["location"] == "/api/things/1"
    assert response.json() == {"name": "spade"}


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


async def remove_locked() -> None:
    msg = "The thing is locked."
    raise ThingLocked(msg)


async def remove_burning() -> None:
    msg = "The thing burns."
    raise ThingBurning(msg)


def test_a_domain_error_gets_its_status_and_its_text_is_the_detail(serving: Serving) -> None:
    errors = {ThingLocked: 409}
    serving.web.endpoints.delete("/locked", remove_locked, permission=MANAGE, errors=errors)
    serving.web.endpoints.delete("/burning", remove_burning, permission=MANAGE, errors=errors)
    with serving.client() as client:
        problem = assert_problem(client.delete("/api/things/locked", headers=MANAGER), 409)
        assert problem["detail"] == "The thing is locked."
        assert_problem(client.delete("/api/things/burning", headers=MANAGER), 409)


def test_a_handlers_own_error_map_goes_before_that_of_the_module() -> None:
    serving = Serving()
    serving.web.endpoints.map_error(ThingLocked, 409)
    serving.web.endpoints.delete("/", remove_locked, permission=ANYONE, errors={ThingLocked: 423})
    with serving.client() as client:
        assert_problem(client.delete("/api/things"), 423)


def test_a_problem_raised_by_a_handler_is_answered_as_it_is() -> None:
    serving = Serving()

    async def handler() -> None:
        raise HttpProblem(503, "Come back later.", title="Closed", headers={"Retry-After": "7"})

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        response = client.get("/api/things")
    assert assert_problem(response, 503)["title"] == "Closed"
    assert response.headers["retry-after"] == "7"


def test_an_unexpected_error_is_500_without_internals_and_is_logged(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        msg = "the password is 1234"
        raise RuntimeError(msg)

    serving.web.endpoints.get("/broken", broken, permission=ANYONE)
    with serving.client() as client, caplog.at_level(logging.ERROR):
        response = client.get("/api/things/broken")
    problem = assert_problem(response, 500)
    assert "1234" not in response.text
    assert "the password is 1234" in caplog.text
    assert "Traceback" in caplog.text
    reference = str(problem["detail"]).rstrip(".").rsplit(" ", 1)[-1]
    assert reference in caplog.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_literal_path_wins_over_a_parameter_whatever_the_order(serving: Serving) -> None:
    async def literal() -> str:
        return "literal"

    async def as_csv(id: str) -> str:  # noqa: A002
        return f"csv of {id}"

    serving.web.endpoints.get("/recurring", literal, permission=VIEW)
    serving.web.endpoints.get("/{id}.csv", as_csv, permission=VIEW)
    with serving.client() as client:
        assert client.get("/api/things/recurring", headers=VIEWER).json() == "literal"
        assert client.get("/api/things/7.csv", headers=VIEWER).json() == "csv of 7"
        assert client.get(f"/api/things/{KNOWN}", headers=VIEWER).json()["name"] == "spade"


def test_none_is_204_without_a_body() -> None:
    serving = Serving()

    async def handler() -> None:
        return None

    serving.web.endpoints.delete("/", handler, permission=ANYONE)
    with serving.client() as client:
        response = client.delete("/api/things")
    assert response.status_code == 204
    assert response.content == b""


def test_an_endpoint_has_the_status_it_was_mapped_with() -> None:
    serving = Serving()

    async def handler() -> str:
        return "made"

    serving.web.endpoints.put("/", handler, permission=ANYONE, status=201)
    serving.web.endpoints.patch("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.put("/api/things").status_code == 201
        assert client.patch("/api/things").status_code == 200


def test_a_starlette_response_passes_through() -> None:
    serving = Serving()

    async def handler() -> Response:
        return PlainTextResponse("plain", 418)

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        response = client.get("/api/things")
    assert (response.status_code, response.text) == (418, "plain")


class Times(BaseModel):
    by_name: dict[str, datetime]
    several: list[datetime | None]
    text: str


def test_all_times_are_sent_in_utc_with_a_z() -> None:
    serving = Serving()
    elsewhere = timezone(timedelta(hours=5, minutes=30))

    async def handler() -> Times:
        return Times(
            by_name={"start": datetime(2026, 1, 31, 15, 0, 0, 5, tzinfo=elsewhere)},
            several=[datetime(2026, 1, 31, tzinfo=UTC), None],
            text="2026-01-31T15:00:00+05:30",
        )

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.get("/api/things").json() == {
            "by_name": {"start": "2026-01-31T09:30:00.000005Z"},
            "several": ["2026-01-31T00:00:00Z", None],
            "text": "2026-01-31T15:00:00+05:30",
        }


def test_a_time_without_a_zone_is_an_error_of_the_server() -> None:
    serving = Serving()

    async def handler() -> datetime:
        return datetime(2026, 1, 31)  # noqa: DTZ001

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert_problem(client.get("/api/things"), 500)


def test_the_caller_is_injected() -> None:
    serving = Serving()

    async def must_be_known(caller: Principal) -> str:
        return caller.name

    async def may_be_unknown(caller: Principal | None) -> str:
        return caller.name if caller else "nobody"

    serving.web.endpoints.get("/known", must_be_known, permission=ANYONE)
    serving.web.endpoints.get("/maybe", may_be_unknown, permission=ANYONE)
    with serving.client() as client:
        assert client.get("/api/things/known", headers=VIEWER).json() == "Vera"
        assert_problem(client.get("/api/things/known"), 401)
        assert client.get("/api/things/maybe").json() == "nobody"
        assert client.get("/api/things/maybe", headers=VIEWER).json() == "Vera"


def test_a_caller_is_authenticated_once_per_request_and_only_when_asked_for() -> None:
    serving = Serving()

    async def handler(caller: Principal | None) -> None:
        return None

    async def open_to_all() -> None:
        return None

    serving.web.endpoints.get("/", handler, permission=VIEW)
    serving.web.endpoints.get("/open", open_to_all, permission=ANYONE)
    with serving.client() as client:
        client.get("/api/things/open", headers=VIEWER)
        assert serving.authenticator.asked == 0
        client.get("/api/things", headers=VIEWER)
        assert serving.authenticator.asked == 1


class Noted:
    def __init__(self) -> None:
        self.events: list[str] = []


def test_the_scope_of_a_request_is_closed_before_its_answer_is_sent() -> None:
    noted = Noted()
    serving = Serving()

    def things() -> Iterator[Things]:
        noted.events.append("opened")
        yield Things()
        noted.events.append("closed")

    serving.services.add_scoped(Things, things)

    async def handler(things: Things, scope: Scope) -> Response:
        assert await scope.get(Things) is things
        noted.events.append("handled")

        class Observed(Response):
            async def __call__(self, scope: object, receive: object, send: object) -> None:
                noted.events.append("sent")
                await PlainTextResponse("x")(scope, receive, send)  # type: ignore[arg-type]

        return Observed()

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        client.get("/api/things")
    assert noted.events == ["opened", "handled", "closed", "sent"]


def test_the_scope_of_a_stream_is_closed_at_its_end() -> None:
    noted = Noted()
    serving = Serving()

    def things() -> Iterator[Things]:
        yield Things()
        noted.events.append("closed")

    serving.services.add_scoped(Things, things)

    async def handler(things: Things) -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            noted.events.append("streamed")
            yield things.find(KNOWN).name

        return StreamingResponse(parts())

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.get("/api/things").text == "spade"
    assert noted.events == ["streamed", "closed"]


def test_contributions_of_all_modules_are_injected_as_a_tuple() -> None:
    serving = Serving()
    serving.services.contribute(Colour, Colour.RED)
    serving.registry.of_module("other").contribute(Colour, Colour.BLUE)

    async def handler(colours: tuple[Colour, ...]) -> tuple[Colour, ...]:
        return colours

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert client.get("/api/things").json() == ["Red", "Blue"]
