"""The pages of settings, without JavaScript: see, change, go back, and keep what was typed."""

import re

import pytest

from administration.settings.shop import MANAGE, VIEW, hosted, settings_of
from modhost.testing import RunningHost
from security.support import add_role, add_user, browser

pytestmark = pytest.mark.anyio


def typed(page: str) -> dict[str, str]:
    """Return what the form of a page would send if nobody typed anything."""
    fields = dict(re.findall(r'<input type="hidden" name="([\w.]+)" value="([^"]*)">', page))
    fields |= dict(re.findall(r'<input id="(\w+)" name="\w+" [^>]*?value="([^"]*)"', page))
    fields |= dict(re.findall(r'<textarea id="(\w+)"[^>]*>\n([^<]*)</textarea>', page))
    for name, options in re.findall(r'<select id="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option(?: value="(\w*)")? selected>([^<]*)', options)
        assert chosen, name
        fields[name] = chosen[2] if chosen[1] is None else chosen[1]
    return fields


async def test_a_form_changes_what_was_typed_and_nothing_else(database_url: str) -> None:
    async with hosted(database_url) as host:
        settings = await settings_of(host)
        client = await host.client(VIEW, MANAGE)
        opened = typed((await client.get("/admin/settings/shop")).text)
        assert (opened["most"], opened["open"], opened["names"]) == ("10", "true", "a\nb")
        # Somebody else is quicker with another setting.
        await client.put("/api/settings/shop/greeting", json={"value": "Good day"})
        sent = opened | {"most": " 20 ", "open": "false", "names": "x\r\ny", "opened": "2026-11-29"}
        answer = await client.post("/admin/settings/shop", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            "/admin/settings?notice=saved",
        )
        current = settings.current
        assert (current.most, current.open, current.names) == (20, False, ["x", "y"])
        assert (current.greeting, str(current.opened)) == ("Good day", "2026-11-29")
        found = (await client.get("/api/settings")).json()
        changed = {each["name"] for each in found if each["origin"] == "page"}
        assert changed == {"most", "open", "names", "opened", "greeting"}


async def test_a_form_that_is_sent_unchanged_changes_nothing(database_url: str) -> None:
    async with hosted(database_url, note="two\nlines") as host:
        client = await host.client(VIEW, MANAGE)
        sent = typed((await client.get("/admin/settings/shop")).text)
        sent["note"] = sent["note"].replace("\n", "\r\n")  # as browsers send it
        answer = await client.post("/admin/settings/shop", data=sent)
        assert answer.headers["location"] == "/admin/settings?notice=same"
        found = (await client.get("/api/settings")).json()
        assert {each["origin"] for each in found} == {"default", "file"}


async def test_a_form_that_is_refused_keeps_what_was_typed(sqlite_url: str) -> None:
    async with hosted(sqlite_url) as host:
        settings = await settings_of(host)
        client = await host.client(VIEW, MANAGE)
        opened = typed((await client.get("/admin/settings/shop")).text)
        sent = opened | {"most": "many", "greeting": "<Hi>", "colour": "green", "delay": "soon"}
        answer = await client.post("/admin/settings/shop", data=sent)
        assert answer.status_code == 422
        again = typed(answer.text)
        assert again == sent | {"greeting": "&lt;Hi&gt;"}
        assert "Write a whole number." in answer.text
        assert 'id="most-error"' in answer.text
        assert 'id="delay-error"' in answer.text
        assert settings.current.colour == "red"
        again |= {"most": "3", "fewest": "5", "delay": "5s"}
        answer = await client.post("/admin/settings/shop", data=again)
        assert answer.status_code == 422
        assert "The fewest items must not be more than the most." in answer.text


async def test_the_list_says_where_each_value_is_from_and_goes_back_by_a_click(
    database_url: str,
) -> None:
    async with hosted(database_url, greeting="Good day") as host:
        await add_role(host, "Managers", [VIEW, MANAGE])
        await add_user(host, "vera", "Managers")
        client = await browser(host, "vera")
        form = typed((await client.get("/admin/settings/shop")).text)
        await client.post("/admin/settings/shop", data=form | {"greeting": "Hi", "most": "50"})
        page = (await client.get("/admin/settings")).text
        rows = {
            name: row
            for row in page.split("<tr>")
            for name in re.findall(r"<strong>([^<]*)</strong>", row)[:1]
        }
        assert "<code>50</code>" in rows["Most items"]
        assert "this page" in rows["Most items"]
        assert "vera" in rows["Most items"]
        assert "the configuration" in rows["Greeting"] or "this page" in rows["Greeting"]
        assert "default" in rows["Open"]
        (action,) = re.findall(r'action="([^"]*)"', rows["Greeting"])
        answer = await client.post(action)
        assert answer.headers["location"] == "/admin/settings?notice=reset"
        assert (await settings_of(host)).current.greeting == "Good day"
        assert "as the configuration says" in (await client.get(answer.headers["location"])).text


async def test_a_viewer_sees_no_button_and_is_refused(sqlite_url: str) -> None:
    async with hosted(sqlite_url) as host:
        client = await host.client(VIEW)
        manager = await host.client(MANAGE)
        await manager.put("/api/settings/shop/most", json={"value": 20})
        page = (await client.get("/admin/settings")).text
        assert "Most items" in page
        assert 'action="/admin' not in page.partition("<main")[2]
        assert "Change…" not in page
        for answer in (
            await client.get("/admin/settings/shop"),
            await client.post("/admin/settings/shop", data={"most": "3"}),
            await client.post("/admin/settings/shop/most/reset"),
            await client.put("/api/settings/shop/most", json={"value": 3}),
            await client.delete("/api/settings/shop/most"),
        ):
            assert answer.status_code == 403


async def test_settings_of_a_module_that_has_none_are_not_found(host: RunningHost) -> None:
    client = await host.client(VIEW, MANAGE)
    for answer in (
        await client.get("/admin/settings/background_jobs"),
        await client.post("/admin/settings/background_jobs", data={"most": "3"}),
        await client.post("/admin/settings/reports_example/nothing/reset"),
    ):
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "written", ["[" * 20_000, '["\\ud800"]', '["\\u0000"]', "[" + "9" * 5000 + "]"]
)
async def test_a_list_that_cannot_be_kept_is_refused(database_url: str, written: str) -> None:
    async with hosted(database_url) as host:
        client = await host.client(VIEW, MANAGE)
        opened = typed((await client.get("/admin/settings/shop")).text)
        answer = await client.post("/admin/settings/shop", data=opened | {"names": written})
        assert answer.status_code == 422
        assert 'id="names-error"' in answer.text
