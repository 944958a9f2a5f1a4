"""Every process has a changed setting within a second, and survives values that it cannot use."""

import logging
from datetime import timedelta

import pytest
from sqlalchemy import event

from administration.settings.shop import (
    MANAGE,
    VIEW,
    Colour,
    Shop,
    ShopSettings,
    hosted,
    settings_of,
    within_a_second,
)
from modhost import Module
from modhost.administration.settings.table import SettingRow
from modhost.database import Database
from modhost.testing import RunningHost
from moving_clock import START

pytestmark = pytest.mark.anyio


async def store(host: RunningHost, **values: str) -> None:
    """Write values as another version of the module would have."""
    async with host.scope() as scope, (await scope.get(Database)).session() as session:
        for name, value in values.items():
            row = SettingRow(
                module="shop", name=name, value=value, changed_at=START, changed_by="user:vera"
            )
            session.add(row)


async def test_a_worker_follows_what_a_web_host_changes(database_url: str) -> None:
    async with hosted(database_url) as web, hosted(database_url, "worker") as worker:
        here, there = await settings_of(web), await settings_of(worker)
        before = there.current
        client = await web.client(VIEW, MANAGE)
        answer = await client.put("/api/settings/shop/delay", json={"value": "2m"})
        assert answer.status_code == 200, answer.text
        assert here.current.delay == timedelta(minutes=2)
        await within_a_second(lambda: there.current.delay == timedelta(minutes=2))
        assert before.delay == timedelta(seconds=5)
        answer = await client.delete("/api/settings/shop/delay")
        assert (answer.status_code, here.current) == (204, ShopSettings())
        await within_a_second(lambda: there.current == ShopSettings())


async def test_a_host_starts_with_what_was_changed_before(database_url: str) -> None:
    async with hosted(database_url) as host:
        client = await host.client(MANAGE)
        await client.put("/api/settings/shop/colour", json={"value": "green"})
    async with hosted(database_url, greeting="Good day", colour="red") as host:
        current = (await settings_of(host)).current
        assert (current.colour, current.greeting) == (Colour.GREEN, "Good day")


async def test_a_value_that_is_not_valid_any_more_is_left_out_and_reported(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with hosted(database_url) as host:
        await store(host, most="1000", greeting='"Hi"', gone="5")
    with caplog.at_level(logging.WARNING, "modhost.administration"):
        async with hosted(database_url) as host:
            current = (await settings_of(host)).current
            assert (current.most, current.greeting) == (10, "Hi")
            assert (
                "most of the module shop is not used: Write a number, 100 or less." in caplog.text
            )
            client = await host.client(VIEW, MANAGE)
            (row,) = [
                each
                for each in (await client.get("/api/settings")).json()
                if each["problem"] is not None
            ]
            assert (row["name"], row["value"], row["origin"]) == ("most", 10, "default")
            page = (await client.get("/admin/settings")).text
            assert "The stored value is not used: Write a number, 100 or less." in page
            assert (await client.delete("/api/settings/shop/most")).status_code == 204
            assert "is not used" not in (await client.get("/admin/settings")).text


async def test_values_that_do_not_fit_together_any_more_are_all_left_out(
    database_url: str,
) -> None:
    async with hosted(database_url) as host:
        await store(host, most="3", fewest="5", greeting='"Hi"')
    async with hosted(database_url) as host:
        assert (await settings_of(host)).current == ShopSettings()


async def test_reading_a_setting_asks_no_database(sqlite_url: str) -> None:
    async with hosted(sqlite_url) as host, host.scope() as scope:
        settings = await settings_of(host)
        asked: list[str] = []
        engine = (await scope.get(Database)).engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
        assert {settings.current.most for _ in range(1000)} == {10}
        assert asked == []


async def test_a_host_without_settings_does_not_poll(sqlite_url: str) -> None:
    class Plain(Module):
        name = "plain"

    names = []
    for module in (Plain(), Shop()):
        async with hosted(sqlite_url, module=module) as host:
            assert host.host.supervisor is not None
            names.append({each.name for each in host.host.supervisor.report()})
    assert (names[0] & {"settings"}, names[1] & {"settings"}) == (set(), {"settings"})
