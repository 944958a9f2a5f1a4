"""The list of jobs: searches, and pages that continue where the previous one ended."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from background_jobs.flow.reading.flowing_jobs import enqueue, job_with
from modhost.database import Database
from modhost_background_jobs.contracts import JobId, JobState
from modhost_background_jobs.model import Flow
from modhost_background_jobs.queries.search import JobBrowser
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from pages.demo import (
    ImportCustomersJob,
    Steps,
    SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob,
)
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

LATER = datetime.now(UTC) + timedelta(days=1)


async def test_one_pages_past_job_21_and_back(database_url: str) -> None:
    async with site(database_url, mode="Producer") as served:
        ids = await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 45)
        newest_first = [str(id_) for id_ in sorted(ids, reverse=True)]
        visitor = await Visitor.of(served, "BackgroundJobs.ViewJobs")
        first = await visitor.get("/admin/jobs/list?state=Pending&rows=20")
        assert first.job_ids() == newest_first[:20]
        (older,) = [link for link in first.links if "before=" in link]
        assert "state=Pending" in older
        second = await visitor.get(older)
        assert second.job_ids() == newest_first[20:40]
        (older,) = [link for link in second.links if "before=" in link]
        third = await visitor.get(older)
        assert third.job_ids() == newest_first[40:]
        assert not [link for link in third.links if "before=" in link]
        (newer,) = [link for link in third.links if "after=" in link]
        back = await visitor.get(newer)
        assert back.job_ids() == newest_first[20:40]
        (newer,) = [link for link in back.links if "after=" in link]
        start = await visitor.get(newer)
        assert start.job_ids() == newest_first[:20]
        assert not [link for link in start.links if "after=" in link]


async def test_a_search_finds_by_state_type_id_error_and_day(
    served: Site, visitor: Visitor
) -> None:
    failed = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    done = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    long = SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob
    later = await served.scheduling.schedule(long, LATER)
    await served.reaches(failed, JobState.FAILED)
    await served.reaches(done, JobState.COMPLETED)

    async def found(**search: str) -> set[str]:
        page = await visitor.get(f"/admin/jobs/list?{urlencode(search)}")
        return set(page.job_ids())

    assert await found(state="failed") == {str(failed)}
    assert await found(state="Completed") == {str(done)}
    assert await found(job_type=f"customers.{long.__name__}") == {str(later)}
    assert await found(q=str(done)) == {str(done)}
    assert await found(q=str(done)[:13]) >= {str(done)}
    assert await found(q="REFUSED record") == {str(failed)}
    assert await found(q="100%_refused") == set()
    assert await found(q="refused record", state="Completed") == set()
    today = (await served.detail(failed)).created_at.date()
    assert await found(since=str(today - timedelta(days=1))) == {str(failed), str(done), str(later)}
    assert await found(until=str(today - timedelta(days=1))) == set()
    assert await found(since=str(today + timedelta(days=2))) == set()


async def test_a_search_finds_by_queue_tag_and_several_states(
    served: Site, visitor: Visitor
) -> None:
    nightly = Flow(queue="nightly", tags=("customer:42", "<b>"))
    type_ = "customers.ImportCustomersJob"
    first, second = [job_with(nightly, job_type=type_, due=10**9) for _ in range(2)]
    queue = await served.service(DatabaseJobQueue)
    await enqueue(await served.service(Database), queue, [first, second])
    done = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(done, JobState.COMPLETED)
    await served.scheduling.cancel(JobId(first.id))

    async def found(**search: str | list[str]) -> list[str]:
        path = f"/admin/jobs/list?{urlencode(search, doseq=True)}"
        return (await visitor.get(path)).job_ids()

    both = [str(second.id), str(first.id)]
    assert await found(queue="nightly") == both
    assert await found(tag="customer:42") == both
    assert await found(q="customer:42") == both
    assert await found(queue="default") == [str(done)]
    assert await found(state=["Pending", "cancelled"]) == both
    assert await found(state=["Completed", "Pending"], queue="nightly") == [str(second.id)]
    page = await visitor.get("/admin/jobs/list?state=Pending&state=Cancelled&tag=customer%3A42")
    # What was searched stays so in the form, in its links, and in the form of the changes.
    assert page.source.count(" checked>") == 2
    assert page.values["state"][-2:] == ["Pending", "Cancelled"]
    assert page.values["tag"] == ["customer:42", "customer:42"]
    assert "&lt;b&gt;" in page.source
    assert {"/admin/jobs/list?queue=nightly", "/admin/jobs/list?tag=customer%3A42"} <= {*page.links}
    asked = urlencode({"change": "cancel", "all": "true", "tag": "customer:42"})
    confirmation = await visitor.get(f"/admin/jobs/many?{asked}")
    assert "Cancel 1 job?" in confirmation.text
    assert "tag=customer:42" in confirmation.text


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=Nonsense", "state"), ("since=yesterday", "since"), ("before=x", "before")],
)
async def test_a_search_that_cannot_be_read_is_reported(
    sqlite_url: str, query: str, field: str
) -> None:
    async with site(sqlite_url) as served:
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        page = await visitor.get(f"/admin/jobs/list?{query}", 422)
        assert field.replace("_", " ").capitalize() in page.text


async def test_the_last_of_all_days_is_a_day(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        job_id = await served.scheduling.schedule(ImportCustomersJob, LATER)
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        page = await visitor.get("/admin/jobs/list?since=0001-01-01&until=9999-12-31")
        assert page.job_ids() == [str(job_id)]


async def test_an_empty_list_says_what_to_do_next(served: Site, visitor: Visitor) -> None:
    assert "await jobs.enqueue(" in (await visitor.get("/admin/jobs/list")).text
    await served.scheduling.schedule(ImportCustomersJob, LATER)
    nothing = await visitor.get("/admin/jobs/list?q=nothing")
    assert "No job matches" in nothing.text
    assert "/admin/jobs/list" in nothing.links


async def test_words_are_searched_page_by_page_to_the_end_of_the_history(
    served: Site, visitor: Visitor
) -> None:
    (await served.service(JobBrowser)).batch_size = 2
    ids = await served.scheduling.enqueue_many(
        ImportCustomersJob, [Steps(fail_at=step) for step in (2, 0, 0, 0)]
    )
    for job_id in ids:
        await served.reaches(job_id, JobState.FAILED)
    path = "/admin/jobs/list?q=record+2"
    first = await visitor.get(path)
    assert "No job matches among the" in first.text
    (older,) = [link for link in first.links if "before=" in link]
    last = await visitor.get(older)
    assert last.job_ids() == [str(ids[0])]
    assert not [link for link in last.links if "before=" in link]
    end = await visitor.get(f"{path}&before={ids[0]}")
    assert "No more jobs match." in end.text


async def test_a_page_has_as_many_rows_as_one_likes(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 52)
        visitor = await Visitor.of(served, "BackgroundJobs.ViewJobs")
        page = await visitor.get("/admin/jobs/list")
        assert len(page.job_ids()) == 50
        page = await visitor.get("/admin/jobs/list?rows=20")
        (older,) = [link for link in page.links if "before=" in link]
        assert "rows=20" in older
        assert len((await visitor.get(older)).job_ids()) == 20
        assert len((await visitor.get("/admin/jobs/list?rows=200")).job_ids()) == 52
        assert 'id="rows-error"' in (await visitor.get("/admin/jobs/list?rows=7", 422)).source


async def test_jobs_are_found_by_times_of_a_zone_created_or_finished(
    served: Site, visitor: Visitor
) -> None:
    done = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(done, JobState.COMPLETED)
    pending = await served.scheduling.schedule(ImportCustomersJob, LATER)

    async def found(**search: str) -> list[str]:
        page = await visitor.get(f"/admin/jobs/list?{urlencode(search)}")
        return page.job_ids()

    zone = "Asia/Kathmandu"
    before, after = (
        f"{datetime.now(ZoneInfo(zone)) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}"
        for minutes in (-2, 2)
    )
    assert await found(since=before, until=after, zone=zone) == [str(pending), str(done)]
    assert await found(since=after, zone=zone) == []
    # By the clock of UTC that is hours away.
    assert await found(since=before) == []
    assert await found(by="finished") == [str(done)]
    assert await found(by="finished", since=before, until=after, zone=zone) == [str(done)]
    assert await found(by="finished", until=before, zone=zone) == []
    assert await found(by="finished", state="Pending") == []
    page = await visitor.get(f"/admin/jobs/list?since={before}&zone={zone}&by=finished")
    assert page.values["since"] == [before, f"{before}:00"]
    assert page.values["zone"] == [zone, zone]
    search = {"change": "cancel", "all": "true", "since": after, "zone": zone}
    confirmation = await visitor.get(f"/admin/jobs/many?{urlencode(search)}")
    assert "There is no job to cancel" in confirmation.text
    refused = await visitor.get("/admin/jobs/list?zone=Mars%2FOlympus", 422)
    assert "is not a time zone that this machine knows" in refused.text
