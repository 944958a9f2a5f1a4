"""The problems that the errors of handlers become."""

import logging

import pytest

from modhost.permissions import ANYONE
from modhost.web import HttpProblem, Page
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


async def away() -> Page:
    raise HttpProblem(503, "The database does not work at present.")


def test_a_page_that_cannot_be_shown_leads_to_itself_and_claims_nothing_of_the_visitor() -> None:
    serving = Serving()
    serving.web.pages.get("/", away, permission=ANYONE)
    serving.web.pages.post("/", away, permission=ANYONE)
    with serving.client() as client:
        shown = client.get("/things?page=2&x=%22", headers={"Accept": "text/html"})
        posted = client.post("/things", headers={"Accept": "text/html"})
    assert (shown.status_code, posted.status_code) == (503, 503)
    assert '<a class="button" href="/things?page=2&amp;x=%22">Try again</a>' in shown.text
    assert "Try again" not in posted.text
    assert "Log in" not in shown.text + posted.text


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


def test_it_leads_to_itself_below_a_base_path_too() -> None:
    serving = Serving()
    serving.web.pages.get("/", away, permission=ANYONE)
    public = "https://example.org/tools"
    with serving.client(public_url=public, base_url="https://example.org") as client:
        shown = client.get("/tools/things?page=2", headers={"Accept": "text/html"})
    assert '<a class="button" href="/tools/things?page=2">Try again</a>' in shown.text
