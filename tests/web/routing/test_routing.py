"""Which endpoint answers to an address, and who may ask it."""

import pytest

from web.serving import MANAGER, VIEW, VIEWER, Serving
from web.things import KNOWN, assert_problem


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
def test_an_unknown_id_and_one_that_is_not_a_uuid_are_both_404(
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


def test_a_longer_path_wins_over_a_parameter_that_would_take_all_of_it(serving: Serving) -> None:
    """It was 405, since the shorter path took the longer one's addresses."""

    async def show(name: str) -> str:
        return f"shown {name}"

    async def pause(name: str) -> str:
        return f"paused {name}"

    serving.web.endpoints.get("/named/{name:path}", show, permission=VIEW)
    serving.web.endpoints.post("/named/{name:path}/pause", pause, permission=VIEW)
    with serving.client() as client:
        assert client.get("/api/things/named/a/b", headers=VIEWER).json() == "shown a/b"
        paused = client.post("/api/things/named/a/b/pause", headers=VIEWER)
        assert paused.json() == "paused a/b"
