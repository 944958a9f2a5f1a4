"""Handlers are judged by what they return, not by how they are declared."""

import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio.from_thread
import pytest
from starlette.responses import PlainTextResponse, Response

from modhost.permissions import ANYONE
from modhost.web import HttpProblem, Query
from web.serving import Serving
from web.things import KNOWN, ThingFilter, ThingNotFound, Things, assert_problem

Handler = Callable[..., Any]


def hidden(function: Handler) -> Handler:
    """Hide that a function is a coroutine function, as many decorators do."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return call


async def written(query: Query[ThingFilter], things: Things) -> str:
    """Say what was asked for."""
    await anyio.lowlevel.checkpoint()
    return f"{query.page_size} {things.find(KNOWN).name}"


class Callable_:  # noqa: N801
    async def __call__(self, query: Query[ThingFilter], things: Things) -> str:
        return await written(query, things)


def returning(query: Query[ThingFilter], things: Things) -> Awaitable[str]:
    return written(query, things)


async def returning_late(query: Query[ThingFilter], things: Things) -> Any:
    return written(query, things)


def plain(query: Query[ThingFilter], things: Things) -> str:
    assert threading.current_thread() is not threading.main_thread()
    result: str = anyio.from_thread.run(written, query, things)
    return result


HANDLERS: dict[str, Handler] = {
    "decorated": hidden(written),
    "partial": functools.partial(written),
    "callable": Callable_(),
    "returning": returning,
    "returning-late": returning_late,
    "plain": plain,
}


@pytest.mark.parametrize("name", HANDLERS)
def test_an_endpoint_is_awaited_whatever_it_was_declared_as(serving: Serving, name: str) -> None:
    serving.web.endpoints.get(f"/{name}", HANDLERS[name], permission=ANYONE)
    with serving.client() as client:
        answer = client.get(f"/api/things/{name}?page_size=3")
        assert (answer.status_code, answer.json()) == (200, "3 spade"), answer.text
        assert_problem(client.get(f"/api/things/{name}?page_size=0"), 422)


def test_a_page_is_awaited_whatever_it_was_declared_as(serving: Serving) -> None:
    async def show() -> Response:
        return PlainTextResponse("a page")

    serving.web.pages.get("/hidden", hidden(show), permission=ANYONE)
    with serving.client() as client:
        assert client.get("/things/hidden").text == "a page"


def test_the_errors_of_a_plain_handler_are_mapped(serving: Serving) -> None:
    def fail() -> None:
        raise ThingNotFound("It is gone.")

    serving.web.endpoints.get("/fail", fail, permission=ANYONE, errors={ThingNotFound: 404})
    with serving.client() as client:
        assert_problem(client.get("/api/things/fail"), 404)


@pytest.mark.parametrize("error", [ThingNotFound("It is gone."), HttpProblem(404, "It is gone.")])
def test_the_error_of_a_task_is_mapped_as_that_of_the_handler(
    serving: Serving, error: Exception
) -> None:
    """It arrives in a group, and was a 500."""

    async def task() -> None:
        raise error

    async def fail() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(task)

    serving.web.endpoints.get("/fail", fail, permission=ANYONE, errors={ThingNotFound: 404})
    with serving.client() as client:
        assert assert_problem(client.get("/api/things/fail"), 404)["detail"] == "It is gone."


def test_a_generator_is_refused(serving: Serving) -> None:
    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    for handler in (generator, async_generator):
        with pytest.raises(TypeError, match="has a `yield`: it would never run"):
            serving.web.endpoints.get("/generator", handler, permission=ANYONE)
