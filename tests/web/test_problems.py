"""The problems that the errors of handlers become."""

import logging

import pytest

from modhost.permissions import ANYONE
from modhost.web import HttpProblem
from web.serving import MANAGE, MANAGER, Serving
from web.things import (
    assert_problem,
)


class ThingLocked(Exception):
    pass


class ThingBurning(ThingLocked):
    pass


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
