"""No page costs more the more jobs have finished: neither more statements, nor longer ones."""

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

import httpx2
import pytest

from benchmarks.demo.filling import fill_past
from benchmarks.demo.shop import FINISHED
from modhost.testing import RunningHost
from modhost_background_jobs.queries.search import JobBrowser
from pages.shop.addresses import API, PAGES, Addresses
from pages.shop.still import still_shop
from pages.shop.work import Meter, asked, listening, meter
from sweeps import EXHAUSTIVE

pytestmark = pytest.mark.anyio

CHECKED: Final = 100
"""How many jobs are checked where no index helps, instead of thousands: fewer than there are."""
MORE: Final = 1.3
SLACK: Final = {"sqlite": 1.0, "postgresql": 0.25}
"""Steps or rows for each more job; a scan takes several steps, and one row."""
WITHOUT: Final = (f"{API}",)
"""The list of jobs in the API has their whole number, which is counted by an index."""


class Cost(NamedTuple):
    """Of one visit: the statements, all of their work, and the one with the most."""

    statements: int
    work: int
    worst: str


async def cost(client: httpx2.AsyncClient, measured: Meter, address: str) -> Cost:
    with asked() as sent:
        answer = await client.get(address)
    # No job of the shop has a result.
    expected = 404 if address.endswith("result.json") else 200
    assert answer.status_code == expected, f"{address}: {answer.text[:500]}"
    works = [(await measured.work_of(each), each.statement) for each in sent]
    return Cost(len(works), sum(work for work, _ in works), max(works, default=(0, ""))[1])


async def check_few(host: RunningHost) -> None:
    """Let searches check few jobs where no index helps."""
    async with host.scope() as scope:
        browser = await scope.get(JobBrowser)
        browser.batch_size = browser.checked_at_once = browser.max_counted_errors = CHECKED


@pytest.mark.parametrize(
    ("before", "after"),
    [(300, 6_000), pytest.param(2_000, 200_000, marks=[EXHAUSTIVE, pytest.mark.timeout(1_800)])],
)
async def test_no_page_costs_more_the_more_jobs_have_finished(
    database_url: str, before: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modhost_background_jobs.bulk.changes.MAX_CONFIRMED", CHECKED)
    is_thorough = after > 100_000
    kind = database_url.partition(":")[0]
    async with still_shop(database_url, before / FINISHED) as host, meter(database_url) as measured:
        await check_few(host)
        client = await host.client("BackgroundJobs.*")
        addresses = await Addresses.chosen_by(client)
        listed = list(addresses.all(is_thorough=is_thorough))
        assert unmeasured(host, listed) == []
        with listening():
            few = {each: await cost(client, measured, each) for each in listed}
            async with host.scope() as scope:
                await fill_past(scope, datetime.now(UTC), scale=(after - before) / FINISHED)
            many = {each: await cost(client, measured, each) for each in listed}
    grown = [
        f"{each}: {few[each][:2]} became {many[each][:2]}, most by {many[each].worst[:3000]}"
        for each in listed
        if many[each].statements > few[each].statements + 2
        or many[each].work > MORE * few[each].work + (after - before) * SLACK[kind]
    ]
    assert not grown, "\n\n".join(grown)


def unmeasured(host: RunningHost, addresses: list[str]) -> list[str]:
    """Return the paths of what only reads that none of the addresses is of."""
    paths = {each.partition("?")[0] for each in addresses}
    return [
        each.path
        for web in host.host.web
        for each in web.declared
        if each.method == "GET"
        and each.path.startswith((PAGES, API))
        and each.path not in WITHOUT
        and not any(re.fullmatch(re.sub(r"{[^}]+}", ".+", each.path), path) for path in paths)
    ]
