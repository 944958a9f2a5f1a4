"""What handlers are given, and how long it lives."""

from collections.abc import AsyncIterator, Iterator

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from modhost.permissions import ANYONE, Principal
from modhost.services import Scope
from web.serving import VIEW, VIEWER, Serving
from web.things import KNOWN, Colour, Things, assert_problem


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
