"""Groups and order of the menu; cards on the start page and tabs on pages of others."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from modhost import ANYONE, Module, Permission, Principal, hookimpl
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.testing import RunningHost, running_host
from modhost.web import Menu, Page, Pages, Slots
from moving_clock import START, MovingClock

pytestmark = pytest.mark.anyio

SEE = Permission("Probe.See", "See the probe")


class Probe(Module):
    """Adds what a test wants it to, to the menu and to slots."""

    name = "probe"

    def __init__(
        self,
        menu: Callable[[Menu], None] = lambda menu: None,
        slots: Callable[[Slots], None] = lambda slots: None,
    ) -> None:
        self._menu = menu
        self._slots = slots

    @hookimpl
    def configure_permissions(self) -> list[Permission]:
        return [SEE]

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        pages.get("/probe", greeting, permission=SEE)

    @hookimpl
    def configure_menu(self, menu: Menu) -> None:
        self._menu(menu)

    @hookimpl
    def configure_slots(self, slots: Slots) -> None:
        self._slots(slots)


async def greeting(principal: Principal) -> Page:
    return Page("card.html", {"name": f"<{principal.id[:5]}>"}, "Greeting")


async def failing() -> Page:
    raise RuntimeError("the password is hush")


async def hanging() -> Page:
    await anyio.sleep_forever()
    raise AssertionError


def wrong() -> str:
    return "text"


async def nothing() -> Page | None:
    return None


@pytest.fixture(autouse=True)
def template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give the module a folder of templates."""
    (tmp_path / "card.html").write_text("<p>Hello {{ name }}</p>")
    (tmp_path / "variables.html").write_text(
        '{% import "modhost/macros.html" as shell %}<i>{{ title }} {{ path }} {{ here }} '
        '{{ sent_form.value("a", "b") }} {{ shell.when(at, now) }}</i>'
    )
    monkeypatch.setattr(
        "modhost.web.routing.module_web.ModuleWeb.folder",
        lambda self, name: tmp_path if (self.name, name) == ("probe", "templates") else None,
    )


async def main_of(host: RunningHost, *permissions: str) -> str:
    client = await host.client(*permissions)
    answer = await client.get("/")
    assert answer.status_code == 200
    return answer.text.partition("<main")[2]


async def test_entries_of_the_menu_are_ordered_and_grouped(sqlite_url: str) -> None:
    def menu(menu: Menu) -> None:
        menu.add("Second", "/b", ANYONE, order=2)
        menu.add("Lone", "/d", ANYONE, group="Alone", order=3)
        menu.add("First", "/a", ANYONE, order=1, group="Both")
        menu.add("Last", "/c", SEE, order=9, group="Both")

    async with running_host([Probe(menu)], config={"host": {"database_url": sqlite_url}}) as host:
        pages = [
            (await (await host.client(*granted)).get("/")).text
            for granted in ([], ["Probe.See", "Host.*"])
        ]
    entry = r"<summary[^>]*>(\w+)|<a href=\"/[a-z/]+\"[^>]*>(\w+)</a>"
    found = [re.findall(entry, page) for page in pages]
    texts = [[a or b for a, b in each] for each in found]
    assert texts[0][:3] == ["First", "Second", "Lone"]
    assert texts[1][:5] == ["Both", "First", "Last", "Second", "Lone"]
    assert texts[1][5:9] == ["Administration", "Audit", "Settings", "System"]


async def test_a_card_that_fails_harms_no_other(
    sqlite_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modhost.web.start_cards.CARD_SECONDS", 0.2)

    def slots(slots: Slots) -> None:
        slots.card(greeting, permission=SEE, order=5)
        for handler in (failing, hanging, wrong, nothing):
            slots.card(handler, permission=ANYONE)

    config = {"host": {"database_url": sqlite_url}}
    async with running_host([Probe(slots=slots)], config=config) as host:
        stranger, friend = await main_of(host), await main_of(host, "Probe.See")
    note = "This card cannot be shown; the log says why."
    assert (stranger.count(note), friend.count(note)) == (3, 3)
    assert "Hello" not in stranger
    assert "<h2>Greeting</h2>" in friend
    assert "<p>Hello &lt;token&gt;</p>" in friend
    assert friend.index(note) < friend.index("Greeting")
    assert "hush" not in friend
    assert "hush" in caplog.text


async def test_a_plain_card_that_blocks_holds_up_nothing_else(
    sqlite_url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modhost.web.start_cards.CARD_SECONDS", 0.3)
    monkeypatch.setattr("modhost.web.start_cards.CARD_THREADS", 1)
    begun, released = threading.Event(), threading.Event()

    def blocking() -> Page:
        begun.set()
        released.wait(10)
        return Page("card.html", {"name": "late"}, "Late")

    def slots(slots: Slots) -> None:
        slots.card(blocking, permission=ANYONE)
        slots.card(greeting, permission=SEE)

    config = {"host": {"database_url": sqlite_url}}
    async with running_host([Probe(slots=slots)], config=config) as host:
        client = await host.client()
        async with anyio.create_task_group() as group:
            group.start_soon(main_of, host)
            await anyio.to_thread.run_sync(begun.wait)
            assert (await client.get("/health/live")).status_code == 200
            assert not released.is_set()
        main = await main_of(host, "Probe.See")
        released.set()
    assert main.count("This card cannot be shown; the log says why.") == 1
    assert "<h2>Greeting</h2>" in main
    assert "TimeoutError" in caplog.text
    assert "1 earlier calls of it have not returned" in caplog.text


async def test_the_template_of_a_card_has_the_variables_of_pages(sqlite_url: str) -> None:
    async def showing() -> Page:
        return Page("variables.html", {"at": START - timedelta(minutes=1)}, "Now")

    config = {"host": {"database_url": sqlite_url}}
    probe = Probe(slots=lambda slots: slots.card(showing, permission=ANYONE))
    async with running_host([probe], config=config, clock=MovingClock()) as host:
        client = await host.client()
        page = (await client.get("/?a=b")).text
        client.cookies.set("modhost-exact-times", "yes")
        exact = (await client.get("/?a=b")).text
    assert re.search("<i>Now / /[?]a=b b <time[^>]*>1 min ago</time></i>", page)
    assert re.search("<i>Now / /[?]a=b b <time[^>]*>31 Jan 09:29:00 UTC</time></i>", exact)


def findings_of(add: Callable[[Slots], None]) -> list[tuple[str, str]]:
    with pytest.raises(StartupError) as refused:
        build_host(Configuration(), "web", modules=[Probe(slots=add)])
    return [(each.rule.code, each.module or "") for each in refused.value.findings]


def test_what_is_wrong_with_a_slot_stops_the_start() -> None:
    class Lost:
        """A service that nobody registers."""

    async def asking(lost: Lost) -> Page:
        raise AssertionError

    def untyped(thing):  # type: ignore[no-untyped-def]
        raise AssertionError

    other = Permission("Other.See", "See others")
    cases: list[tuple[str, Any]] = [
        ("MH301", lambda slots: slots.card(asking, permission=ANYONE)),
        ("MH306", lambda slots: slots.card(untyped, permission=ANYONE)),
        ("MH402", lambda slots: slots.card(nothing, permission=other)),
        ("MH402", lambda slots: slots.tab("background_jobs", "Other", "/other", other)),
    ]
    for code, add in cases:
        assert findings_of(add) == [(code, "probe")]
