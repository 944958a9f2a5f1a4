"""Numbers and times of pages: what is not full is marked, and a log has its dates."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import anyio
import pytest

from modhost.database import Database
from modhost.testing import MovableClock
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.tables import LOGS
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(database_url: str, clock: MovableClock) -> AsyncIterator[Site]:
    """A site at which neither a minute nor a day begins during a test."""
    async with site(database_url, clock=clock) as running:
        yield running


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


async def test_a_log_has_a_date_where_it_changes(
    served: Site, visitor: Visitor, clock: MovableClock
) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=3))
    await served.reaches(job_id, JobState.COMPLETED)
    database = await served.service(Database)
    earlier = LOGS.update().where(LOGS.c.message == "Step 1 of 3")
    async with database.session() as session:
        moment = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
        await (await session.connection()).execute(earlier.values(logged_at=moment))
    page = await visitor.get(f"/admin/jobs/{job_id}")
    today = f"{clock.now():%-d %b %Y}"
    days = re.findall(r'class="log-day">.*?>(.*?) \(UTC\)<', page.source)
    assert days == ["28 Feb 2026", today]


async def test_the_bar_of_the_present_minute_is_marked(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(job_id, JobState.COMPLETED)
    page = await visitor.get("/admin/jobs?span=day")
    with anyio.fail_after(20):
        while "bar-good" not in page.source:
            page = await visitor.get("/admin/jobs?span=day")
    assert page.source.count('class="open"') == 3
    assert '1 completed, 0 failed so far"' in page.source
    assert "so far" in page.text.partition("The figures as a table")[2]


async def test_exact_times_need_no_javascript(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    done = await served.reaches(job_id, JobState.COMPLETED)
    moment = f"{done.created_at:%b %H:%M:%S} UTC"
    # The timeline has both.
    assert moment in (await visitor.get(f"/admin/jobs/{job_id}")).text
    listed = "/admin/jobs/list?state=Completed"
    assert moment not in (await visitor.get(listed)).text
    location, page = await visitor.post("/times", {"exact": "yes", "to": listed})
    assert location == listed
    assert moment in page.text
    for elsewhere in ("https://example.org/", "//example.org", "/\\\\example.org", "\\t//x"):
        answer = await visitor.client.post("/times", data={"exact": "no", "to": elsewhere})
        assert answer.headers["location"].endswith("/") is True
        assert "example" not in answer.headers["location"]
    assert moment not in (await visitor.get(listed)).text
