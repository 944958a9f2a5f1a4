"""The responses that the results of handlers become."""

from collections import deque
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from modhost.permissions import ANYONE
from web.serving import MANAGER, Serving
from web.things import assert_problem


def test_a_reply_sets_status_and_headers(serving: Serving) -> None:
    with serving.client() as client:
        response = client.post("/api/things/", json={"name": "spade"}, headers=MANAGER)
    assert response.status_code == 202
    assert response.headers["location"] == "/api/things/1"
    assert response.json() == {"name": "spade"}


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


class Collected(BaseModel):
    days: set[datetime | None]
    hours: frozenset[tuple[datetime, str]]
    last: deque[datetime]
    by_time: dict[datetime, int]
    anything: Any


def test_times_in_any_collection_are_in_utc() -> None:
    serving = Serving()
    time = datetime(2026, 1, 31, 11, tzinfo=timezone(timedelta(hours=2)))

    async def handler() -> Collected:
        return Collected(
            days={time, None},
            hours=frozenset({(time, "a")}),
            last=deque([time]),
            by_time={time: 1},
            anything={"in": {time}},
        )

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        answer = client.get("/api/things").json()
    sent = "2026-01-31T09:00:00Z"
    assert sorted(answer.pop("days"), key=str) == [sent, None]
    assert answer == {
        "hours": [[sent, "a"]],
        "last": [sent],
        "by_time": {sent: 1},
        "anything": {"in": [sent]},
    }


def test_numbers_that_json_lacks_are_null() -> None:
    serving = Serving()

    async def handler() -> dict[str, float]:
        return {"mean": float("nan"), "most": float("inf"), "least": 0.5}

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        answer = client.get("/api/things")
    assert answer.text == '{"mean":null,"most":null,"least":0.5}'


def test_a_time_without_a_zone_is_an_error_of_the_server() -> None:
    serving = Serving()

    async def handler() -> datetime:
        return datetime(2026, 1, 31)  # noqa: DTZ001

    serving.web.endpoints.get("/", handler, permission=ANYONE)
    with serving.client() as client:
        assert_problem(client.get("/api/things"), 500)
