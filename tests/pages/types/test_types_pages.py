"""The list of job types, and a page for each, without JavaScript and through the API."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.statistics import AppVersions
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from pages.demo import CallPartnerJob, ImportCustomersJob, SendInvoicesJob, Steps
from pages.html import Html
from pages.queues.limited import PER_PARTNER
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"
PATH = "/admin/jobs/types"
IMPORT = "customers.ImportCustomersJob"


async def busy(served: Site) -> None:
    """Let one type complete and fail jobs, and another wait in a queue that no worker serves."""
    done = await served.scheduling.enqueue_many(ImportCustomersJob, [Steps(), Steps()])
    steps = [Steps(fail_at=1), Steps(fail_at=2), Steps(fail_at=1)]
    failed = await served.scheduling.enqueue_many(ImportCustomersJob, steps)
    await served.scheduling.pause_job_type("customers.SendInvoicesJob", reason="The printer is out")
    await served.scheduling.enqueue_many(SendInvoicesJob, [Steps()] * 4, queue="slow")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await served.scheduling.schedule(SendInvoicesJob, tomorrow, Steps())
    for job_id in (*done, *failed):
        await served.ends(job_id)
    await counted(served, completed=len(done), failed=len(failed))


async def counted(served: Site, **numbers: int) -> None:
    """Wait until so many imports of the last hour are counted, which follows their ends."""
    statistics = await served.service(StatisticsService)
    client = await served.host.client(VIEW)
    with anyio.fail_after(30):
        while True:
            await statistics.step()
            hour = (await client.get(f"/api/jobs/types/{IMPORT}")).json()["spans"][0]["now"]
            if {name: hour[name] for name in numbers} == numbers:
                return
            await anyio.sleep(0.05)


def order(page: Html) -> list[str]:
    """Return the types in the order of the list."""
    links = [link for link in page.links if link.startswith(f"{PATH}/customers.")]
    return [link.rpartition(".")[2] for link in links]


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[Site]:
    """A site whose worker leaves a queue alone."""
    async with site(database_url, queues=["*", "!slow"]) as running:
        yield running


async def test_the_list_and_the_page_of_a_type_show_what_waits_runs_and_fails(
    served: Site, visitor: Visitor
) -> None:
    await busy(served)
    page = await visitor.get(PATH)
    assert order(page)[:2] == ["SendInvoicesJob", "ImportCustomersJob"]
    assert "4 due of 5" in page.text
    assert "The printer is out" in page.text
    assert "not while paused" in page.text
    assert "3 was 0" in page.text
    assert "1 at a time" in page.text
    assert order(await visitor.get(f"{PATH}?sort=failed&span=week"))[0] == "ImportCustomersJob"
    assert order(await visitor.get(f"{PATH}?sort=name"))[0] == "CallPartnerJob"
    assert order(await visitor.get(f"{PATH}?q=invoices")) == ["SendInvoicesJob"]
    assert "No job type has “no such” in its name." in (await visitor.get(f"{PATH}?q=no+such")).text
    await visitor.get(f"{PATH}?sort=nonsense", status=422)

    page = await visitor.get(f"{PATH}/{IMPORT}")
    assert "2 was 0 3 was 0" in page.text
    assert "3 failed jobs, all that are kept" in page.text
    assert "ConnectionError The server of customers refused record <n>" in page.text
    assert "in pages/demo.py, execute 3" in page.text
    (search,) = [link for link in page.links if "q=ConnectionError" in link]
    found = await visitor.get(search)
    assert found.text.count("refused record") >= 3
    for span in ("hour", "week", "quarter"):
        assert 'class="bar-bad"' in (await visitor.get(f"{PATH}/{IMPORT}?span={span}")).source
    paused = await visitor.get(f"{PATH}/customers.SendInvoicesJob")
    assert "Pending 5 4 due" in paused.text
    assert "No failed job of this type is kept." in paused.text

    answer = await visitor.client.get(f"/api/jobs/types/{IMPORT}")
    detail: dict[str, Any] = answer.json()
    assert {each["span"]: each["now"]["failed"] for each in detail["spans"]} == {
        "hour": 3,
        "day": 3,
        "week": 3,
    }
    assert (detail["name"], detail["failures_grouped"]) == (IMPORT, 3)
    (group,) = detail["failures"]
    assert (group["error"], group["count"]) == ("ConnectionError", 3)
    assert (await visitor.client.get("/api/jobs/types/no.Such")).status_code == 404
    await visitor.get(f"{PATH}/no.Such", status=404)


async def test_pages_lead_to_the_type(served: Site, visitor: Visitor) -> None:
    failed = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    await served.reaches(failed, JobState.FAILED)
    assert f"{PATH}/{IMPORT}" in (await visitor.get(f"/admin/jobs/{failed}")).links
    assert f"{PATH}/{IMPORT}" in (await visitor.get(f"/admin/jobs/list?job_type={IMPORT}")).links
    assert f"{PATH}/{IMPORT}" in (await visitor.get("/admin/jobs/queues")).links
    assert f"{PATH}?span=day&sort=failed" in (await visitor.get("/admin/jobs")).links


async def test_a_new_version_of_the_application_is_marked(served: Site, visitor: Visitor) -> None:
    await (await served.service(AppVersions)).note("2026.11.3", datetime.now(UTC))
    done = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(done, JobState.COMPLETED)
    await counted(served, completed=1)
    for path in ("/admin/jobs", f"{PATH}/{IMPORT}?span=hour"):
        page = await visitor.get(path)
        assert page.source.count("<title>Version 2026.11.3</title>") == 3
        assert "New version: 2026.11.3" in page.text


async def test_only_managers_can_pause_a_type_and_change_its_limits(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        path = f"{PATH}/customers.CallPartnerJob"
        pause = "/admin/jobs/queues/pause?kind=type&back=type&name=customers.CallPartnerJob"
        limit = f"/admin/jobs/queues/limit?name={PER_PARTNER}"
        await served.scheduling.enqueue(CallPartnerJob, Steps(note="acme"))
        manager = await visit(served, path, VIEW, MANAGE)
        viewer = await visit(served, path, VIEW)
        assert {pause, limit} <= set(manager.links)
        assert not {pause, limit} & set(viewer.links)
        assert PER_PARTNER in viewer.text
        assert "not at this rate" in viewer.text
        visitor = await Visitor.of(served, VIEW, MANAGE)
        assert path in (await visitor.get(pause)).links
        location, page = await visitor.post(pause, {"reason": "Until Monday"})
        assert location == f"{path}?notice=paused"
        assert "Until Monday" in page.text
        location, page = await visitor.post(pause.replace("/pause?", "/resume?"))
        assert location == f"{path}?notice=resumed"
        assert "It is resumed" in page.text


async def visit(served: Site, path: str, *permissions: str) -> Html:
    return await (await Visitor.of(served, *permissions)).get(path)


async def test_both_pages_are_live(sqlite_url: str) -> None:
    async with site(sqlite_url) as served:
        await busy(served)
        visitor = await Visitor.of(served, VIEW)
        for path, kind in ((f"{PATH}?sort=name&q=Job", "types"), (f"{PATH}/{IMPORT}", "type")):
            source = (await visitor.get(path)).source
            watched = source.partition('data-types="')[2].partition('"')[0].replace("&amp;", "&")
            with anyio.fail_after(20):
                answer = await visitor.client.get(
                    "/admin/jobs/events",
                    params={"watch": kind, "types": watched, "poll": "true"},
                )
            fragments = answer.json()["fragments"]
            assert fragments
            assert all(f'data-live="{name}"' in source for name in fragments)
            assert "ImportCustomersJob" in "".join(fragments.values())
        answer = await visitor.client.get("/admin/jobs/events?watch=types&types=sort%3Dx")
        assert answer.status_code == 422
        gone = "/admin/jobs/events?watch=type&types=job_type%3Dno.Such&poll=true"
        assert (await visitor.client.get(gone)).json()["fragments"] == {}
