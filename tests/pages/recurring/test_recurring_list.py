"""The list of recurring jobs: a line each, searched, filtered, sorted, and what it costs."""

import re
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from modhost.database import Database
from modhost_background_jobs.contracts import JobState, RecurringJobId
from modhost_background_jobs.inspection.schedules import Schedules
from modhost_background_jobs.pages.recurring.list import KEY_DIGITS
from modhost_background_jobs.storage.tables import SCHEDULES
from pages.demo import ImportCustomersJob, SendInvoicesJob
from pages.html import Html
from pages.live.streams import counted
from pages.recurring.filled import add_runs, fill
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

PATH = "/admin/jobs/recurring"
NAMES = ("Broken", "Late", "Nightly", "Off", "Weekly")


def names(page: Html) -> list[str]:
    """Return the names of the lines, in their order, of those that the tests have added."""
    found = re.findall(r"href=recurring/[0-9a-f-]{36}>([^<]+)<", page.source)
    return [name for name in found if name != "Monthly Report"]


async def five(served: Site) -> dict[str, RecurringJobId]:
    """Add a schedule in every state."""
    ids: dict[str, RecurringJobId] = {}
    for number, name in enumerate(NAMES):
        ids[name] = await served.scheduling.add_recurring(
            SendInvoicesJob if name == "Weekly" else ImportCustomersJob,
            name=name,
            cron_expression=f"{number} 3 * * {'1' if name == 'Weekly' else '*'}",
        )
    completed = [JobState.COMPLETED] * 3
    await add_runs(served, ids["Nightly"], [JobState.FAILED, *completed])
    await add_runs(served, ids["Broken"], [*completed, JobState.FAILED, JobState.SKIPPED])
    await add_runs(served, ids["Late"], [*completed, JobState.SKIPPED], "missed: no consumer")
    await served.scheduling.disable_recurring(ids["Off"])
    database = await served.service(Database)
    hour = timedelta(hours=1)
    async with database.session() as session:
        for name, ago in (("Nightly", hour), ("Broken", 3 * hour), ("Late", 2 * hour)):
            changed = update(SCHEDULES).where(SCHEDULES.c.id == ids[name])
            at = datetime.now(UTC) - ago
            await (await session.connection()).execute(changed.values(last_run_at=at))
    return ids


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[Site]:
    """A site whose schedules fire nowhere."""
    async with site(database_url, mode="Producer") as running:
        yield running


async def test_lines_are_searched_filtered_and_sorted_by_the_address(
    served: Site, visitor: Visitor
) -> None:
    ids = await five(served)
    assert names(await visitor.get(PATH)) == [*NAMES]
    for query, expected in {
        "q=nightly": ["Nightly"],
        "q=sendinvoices": ["Weekly"],
        "q=mondays": ["Weekly"],
        f"q={ids['Off']}": ["Off"],
        "q=4+3+*+*+1": ["Weekly"],
        "q=0+9+1+*+*": [],
        "q=01+zzzz": [],
        "state=disabled": ["Off"],
        "state=paused": ["Off"],
        "state=failing": ["Broken"],
        "state=missed": ["Late"],
        "state=enabled": ["Broken", "Late", "Nightly", "Weekly"],
        "sort=last": ["Nightly", "Late", "Broken", "Off", "Weekly"],
        "state=enabled&q=import&sort=last": ["Nightly", "Late", "Broken"],
        "state=&sort=&q=": [*NAMES],
    }.items():
        assert names(await visitor.get(f"{PATH}?{query}")) == expected, query
    by_next = names(await visitor.get(f"{PATH}?sort=next"))
    assert (by_next[-1], {*by_next}) == ("Off", {*NAMES})
    nothing = await visitor.get(f"{PATH}?q=nothing")
    assert "No recurring job is like that. Show all 6" in nothing.text
    await visitor.get(f"{PATH}?state=nonsense", status=422)
    pages = [names(await visitor.get(f"{PATH}?rows=2&page={page}")) for page in (1, 2, 3, 4)]
    assert [name for page in pages for name in page] == [*NAMES]


async def test_a_line_says_its_state_its_runs_and_when_it_runs_in_words(
    served: Site, visitor: Visitor
) -> None:
    await five(served)
    page = await visitor.get(f"{PATH}?state=failing")
    assert "At 03:00 every day" in page.text
    assert "Failing" in page.text
    assert 'aria-label="3 completed, 1 failed, 1 skipped; the last skipped"' in page.source
    assert "class=fa" in page.source
    missed = (await visitor.get(f"{PATH}?state=missed")).source
    assert "the last missed" in missed


async def test_the_buttons_of_a_line_act_and_lead_back_to_the_same_list(
    served: Site, visitor: Visitor
) -> None:
    ids = await five(served)
    nightly = str(ids["Nightly"])[-KEY_DIGITS:]
    path = f"{PATH}?q=night&sort=last"
    for verb, notice in (("disable", "is disabled"), ("enable", "is enabled")):
        location, page = await visitor.post(path, {verb: nightly})
        assert f"The schedule Nightly {notice}" in page.text
        assert location.startswith(path)
        assert location.endswith(f"#s-{nightly}")
        assert f"id=s-{nightly}>" in page.source
    _, page = await visitor.post(path, {"run": nightly})
    assert "This run was started by hand" in page.text
    assert (await visitor.client.post(path, data={"other": nightly})).status_code == 422
    for gone in ("0199b0b0-0000-7000-8000-000000000000", "-00000", "%"):
        location, page = await visitor.post(path, {"run": gone.ljust(KEY_DIGITS, "0")})
        assert "does not exist any more" in page.text
        assert location.startswith(path)
    viewer = await Visitor.of(served, "BackgroundJobs.ViewJobs")
    assert "Run now" not in (await viewer.get(path)).text
    assert (await viewer.client.post(path, data={"run": nightly})).status_code == 403


async def test_every_link_and_button_of_the_list_has_a_name_of_its_own(
    served: Site, visitor: Visitor
) -> None:
    await five(served)
    page = (await visitor.get(PATH)).source.partition("<table")[2]
    buttons = re.findall(r"<button [^>]*>(.*?)</button>", page.partition("</table>")[0])
    labels = [re.sub(r"<[^>]+>", "", each) for each in buttons]
    assert len(labels) == len({*labels}) == 12
    assert {"Run now Nightly", "Enable Off", "Disable Nightly"} < {*labels}
    links = re.findall(r"<a [^>]+>([^<]+)</a>", page.partition("</table>")[0])
    assert len(links) == len({*links})


async def test_a_button_names_no_schedule_but_its_own(served: Site, visitor: Visitor) -> None:
    """It has as many of the last digits of an id as no other id ends with."""
    ids = await five(served)
    database = await served.service(Database)
    async with database.session() as session:
        connection = await session.connection()
        for number, name in enumerate(("Nightly", "Weekly")):
            alike = UUID(f"0199b0b0-0000-7000-8000-0000{number}0000077")
            changed = update(SCHEDULES).where(SCHEDULES.c.id == ids[name])
            await connection.execute(changed.values(id=alike))
    page = await visitor.get(PATH)
    assert page.source.count("<button name=disable value=00000077>") == 1
    assert page.source.count("<button name=disable value=10000077>") == 1
    _, page = await visitor.post(PATH, {"disable": "10000077"})
    assert "The schedule Weekly is disabled" in page.text
    # Of a page that is older than one of the two.
    _, page = await visitor.post(PATH, {"disable": "000077"})
    assert "does not exist any more" in page.text
    assert names(await visitor.get(f"{PATH}?state=disabled")) == ["Off", "Weekly"]


async def test_links_of_lines_lead_to_their_schedules(served: Site, visitor: Visitor) -> None:
    """They are relative, to the one address that the list has."""
    ids = await five(served)
    answer = await visitor.client.get(f"{PATH}/?q=night", follow_redirects=True)
    assert str(answer.url).endswith(f"{PATH}?q=night")
    (link,) = [each for each in Html(answer.text).links if str(ids["Nightly"]) in each]
    found = await visitor.client.get(answer.url.join(link))
    assert found.status_code == 200
    assert "<h1>Nightly</h1>" in found.text


async def test_sixty_one_schedules_cost_little(served: Site, visitor: Visitor) -> None:
    """They took 424 ms of the processor, and 400 kB."""
    await fill(served, 60, 20)
    schedules, spent = await served.service(Schedules), []
    async with counted(served) as (_, sent):
        assert len(await schedules.all()) == 61
        assert len(sent) == 2
    for _ in range(5):
        start = time.process_time()
        answer = await visitor.client.get(PATH)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.06
    assert len(answer.content) < 40_000
    assert len(names(Html(answer.text))) == 60
