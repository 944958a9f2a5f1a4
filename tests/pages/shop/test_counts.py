"""A number that leads to a list is that of the lines which are there."""

import re
from typing import Final, NamedTuple
from urllib.parse import urlencode

import pytest

from pages.html import Html
from pages.shop.still import still_shop
from pages.visitor import Visitor
from sweeps import EXHAUSTIVE

pytestmark = pytest.mark.anyio

JOBS: Final = "/admin/jobs"
TILE: Final = (
    r'<a class="tile" href="([^"]+)"><span class="tile-label">(\w+)</span>'
    r'<span class="tile-number[^"]*">([^<]+)</span>'
)
CARD: Final = r'<dt>(\w+)</dt><dd><a href="([^"]+)"[^>]*>([^<]+)</a>'
CELL: Final = r'<td data-label="{}"><div>(.*?)</div>'


class Shown(NamedTuple):
    """A number, where it is shown, and the list that it leads to."""

    place: str
    number: int
    href: str


def number_in(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def tiles(page: Html, place: str) -> list[Shown]:
    return [
        Shown(f"{place}, {label}", number_in(number), href.replace("&amp;", "&"))
        for href, label, number in re.findall(TILE, page.source)
    ]


def rows(page: Html, kind: str) -> dict[str, tuple[int, int]]:
    """Return how many jobs of each queue or type are pending, and running."""
    found = {}
    for name, row in re.findall(rf'<tr data-key="{kind}-([^"]+)">(.*?)</tr>', page.source, re.S):
        waiting, running = (
            re.search(CELL.format(label), row, re.S) for label in ("Waiting", "Running")
        )
        assert waiting is not None
        assert running is not None
        # "3 due of 30", or "3 due" where all are.
        numbers = re.findall(r"[\d\u202f]+(?= due)|(?<=of )[\d\u202f]+", waiting[1])
        found[name] = (number_in(numbers[-1]), number_in(running[1].partition("<")[0]))
    return found


async def length(visitor: Visitor, href: str) -> int:
    """Return how many lines a list has, on all its pages."""
    if href.endswith("/workers"):
        source = (await visitor.get(href)).source
        return source.count('data-key="worker-') - source.count("Not responding")
    if href.endswith("/recurring"):
        return (await visitor.get(href)).source.count("<tr id=s-")
    lines, next_page = 0, f"{href}&rows=200"
    while next_page:
        page = await visitor.get(next_page)
        lines += len(page.job_ids())
        older = re.findall(r'href="([^"]+)" rel="next"', page.source)
        next_page = older[0].replace("&amp;", "&") if older else ""
    return lines


def listed(**search: str) -> str:
    return f"{JOBS}/list?{urlencode(search)}"


@pytest.mark.parametrize(
    "scale", [0.005, pytest.param(1.0, marks=[EXHAUSTIVE, pytest.mark.timeout(1_800)])]
)
async def test_every_number_is_that_of_the_list_behind_it(database_url: str, scale: float) -> None:
    async with still_shop(database_url, scale) as host:
        client = await host.client("BackgroundJobs.*")
        client.headers["Accept"] = "text/html"
        visitor = Visitor(client)
        dashboard = await visitor.get(JOBS)
        shown = tiles(dashboard, "dashboard")
        assert len(shown) == 5
        card = re.findall(CARD, (await visitor.get("/")).source)
        assert len(card) == 4
        shown += [
            Shown(f"start page, {label}", number_in(number), href.replace("&amp;", "&"))
            for label, href, number in card
        ]
        types = rows(await visitor.get(f"{JOBS}/types"), "type")
        assert len(types) == 15
        for name, (pending, running) in types.items():
            of_type = f"{name}, pending", f"{name}, running"
            shown.append(Shown(of_type[0], pending, listed(job_type=name, state="Pending")))
            shown.append(Shown(of_type[1], running, listed(job_type=name, state="Running")))
        for name in (*sorted(types, key=lambda each: types[each])[-4:], "shop.ChargeCard"):
            shown += tiles(await visitor.get(f"{JOBS}/types/{name}"), name)
        page = await visitor.get(f"{JOBS}/queues")
        assert rows(page, "type") == types
        for name, (pending, running) in rows(page, "queue").items():
            shown.append(Shown(f"queue {name}", pending, listed(queue=name, state="Pending")))
            shown.append(Shown(f"queue {name}", running, listed(queue=name, state="Running")))
        lengths = {href: await length(visitor, href) for href in {each.href for each in shown}}
        slots = (await visitor.get(f"{JOBS}/workers")).text
        busy = sum(map(int, re.findall(r"(\d+) of \d+ slots", slots)))
    assert busy == shown[0].number
    wrong = {each: lengths[each.href] for each in shown if each.number != lengths[each.href]}
    assert wrong == {}
