"""Changes by the API: what is taken, what is refused, and what is left in the audit."""

from typing import Any

import pytest

from administration.settings.shop import MANAGE, VIEW, hosted, settings_of
from modhost.audit import AuditReader, AuditSearch
from modhost.checks import StartupError
from modhost.testing import RunningHost

pytestmark = pytest.mark.anyio

TAKEN: dict[str, list[Any]] = {
    "open": [False],
    "most": [0, 100],
    "rate": [1, 0.25],
    "price": ["12.50"],
    "greeting": ["Grüß Gott", "", "two\nlines"],
    "colour": ["green"],
    "size": [3],
    "delay": ["90s", "0"],
    "opened": ["2026-11-29", None],
    "names": [[], ["x", "y"]],
}
REFUSED: dict[str, list[tuple[Any, str]]] = {
    "open": [("yes", "Send true or false."), (1, "Send true or false."), (None, "Send true")],
    "most": [
        (101, "Write a number, 100 or less."),
        ("5", "Send a whole number."),
        (5.5, "Send a whole number."),
        (True, "Send a whole number."),
        (0, "The fewest items must not be more than the most."),
    ],
    "rate": [([], "Send a number."), ("many", "Write a number."), ("inf", "Give a finite number.")],
    "greeting": [("\x1b", "Give it without control characters."), ("x" * 10_001, "10,000")],
    "colour": [("blue", "Write 'red' or 'green'.")],
    "size": [(4, "Write 1, 2 or 3.")],
    "delay": [("soon", "is not a duration"), (-1, "is negative")],
    "names": [("a", "Send a list."), (["toolong"], "5 characters or fewer"), ([1], "a text")],
}


async def audited(host: RunningHost) -> list[tuple[str, str, str]]:
    async with host.scope() as scope:
        reader = await scope.get(AuditReader)
        entries = await reader.newest(AuditSearch(), 10)
    return [
        (each.action, each.subject, each.detail)
        for each in entries
        if each.action.startswith("settings.")
    ]


async def test_values_of_each_kind_are_taken(database_url: str) -> None:
    async with hosted(database_url, fewest=0) as host:
        client = await host.client(VIEW, MANAGE)
        for name, values in TAKEN.items():
            for value in values:
                answer = await client.put(f"/api/settings/shop/{name}", json={"value": value})
                assert answer.status_code == 200, answer.text
                found = answer.json()
                assert (found["origin"], found["problem"]) == ("page", None)
                assert found["value"] == value
                assert (await client.get(f"/api/settings/shop/{name}")).json() == found


async def test_what_is_not_valid_is_refused_with_the_reason_and_changes_nothing(
    database_url: str,
) -> None:
    async with hosted(database_url) as host:
        client = await host.client(VIEW, MANAGE)
        before = (await settings_of(host)).current
        for name, values in REFUSED.items():
            for value, reason in values:
                answer = await client.put(f"/api/settings/shop/{name}", json={"value": value})
                problem = answer.json()
                assert answer.status_code == 422, (name, value, answer.text)
                assert reason in str(problem["errors"]), (name, value)
        assert (await settings_of(host)).current == before
        assert await audited(host) == []


async def test_a_setting_that_is_not_there_is_not_found(sqlite_url: str) -> None:
    async with hosted(sqlite_url) as host:
        client = await host.client(VIEW, MANAGE)
        for path, hint in (("shop/mots", "'most'"), ("shp/most", "'shop'"), ("shop/x", "colour")):
            url = f"/api/settings/{path}"
            for answer in (
                await client.get(url),
                await client.put(url, json={"value": 1}),
                await client.delete(url),
            ):
                assert (answer.status_code, hint in answer.json()["detail"]) == (404, True)


async def test_the_origin_of_each_value_is_reported(sqlite_url: str) -> None:
    async with hosted(sqlite_url, greeting="Good day") as host:
        client = await host.client(VIEW, MANAGE)
        await client.put("/api/settings/shop/most", json={"value": 20})
        found = {each["name"]: each for each in (await client.get("/api/settings")).json()}
        assert {name: found[name]["origin"] for name in ("most", "greeting", "open")} == {
            "most": "page",
            "greeting": "file",
            "open": "default",
        }
        assert found["most"]["source"].startswith("token:test")
        assert (found["most"]["configured"], found["greeting"]["value"]) == (10, "Good day")
        assert (found["most"]["label"], found["fewest"]["label"]) == ("Most items", "Fewest")
        assert found["open"]["description"] == "Whether orders are taken."


async def test_changes_are_in_the_audit_with_who_and_what(database_url: str) -> None:
    async with hosted(database_url) as host:
        client = await host.client(VIEW, MANAGE)
        await client.put("/api/settings/shop/most", json={"value": 20})
        await client.put("/api/settings/shop/most", json={"value": 30})
        await client.delete("/api/settings/shop/most")
        await client.delete("/api/settings/shop/most")
        assert await audited(host) == [
            ("settings.reset", "setting:shop.most", "10; 30 before"),
            ("settings.set", "setting:shop.most", "30; 20 before"),
            ("settings.set", "setting:shop.most", "20; 10 before"),
        ]


async def test_a_value_that_others_rely_on_cannot_go_back_alone(database_url: str) -> None:
    async with hosted(database_url) as host:
        client = await host.client(VIEW, MANAGE)
        for name, value in (("most", 50), ("fewest", 40)):
            answer = await client.put(f"/api/settings/shop/{name}", json={"value": value})
            assert answer.status_code == 200
        answer = await client.delete("/api/settings/shop/most")
        assert answer.status_code == 409
        assert "Change the others first" in answer.json()["detail"]
        assert (await settings_of(host)).current.most == 50
        assert (await client.delete("/api/settings/shop/fewest")).status_code == 204
        assert (await client.delete("/api/settings/shop/most")).status_code == 204


async def test_settings_of_a_file_are_checked_like_options(sqlite_url: str) -> None:
    with pytest.raises(StartupError, match=r"MH203.*most") as refused:
        async with hosted(sqlite_url, most=101):
            pass
    (finding,) = refused.value.findings
    assert "[modules.shop.settings] most is 101" in str(finding)
    with pytest.raises(StartupError, match=r"MH202.*Did you mean 'most'"):
        async with hosted(sqlite_url, mots=1):
            pass
