"""The page of queues: what waits and runs, pauses and limits, without JavaScript."""

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.limits import LimitReader
from modhost_background_jobs.inspection.queues import Queues, QueueStatus
from pages.demo import CallPartnerJob, ImportCustomersJob, Steps
from pages.queues.limited import JOB_TYPE, PER_PARTNER, limited
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"
PATH = "/admin/jobs/queues"


async def manager(served: Site) -> Visitor:
    return await Visitor.of(served, VIEW, MANAGE)


async def status(served: Site, queue: str) -> QueueStatus:
    return await (await served.service(Queues)).queue(queue)


async def test_it_shows_queues_types_and_limits_with_what_waits_behind_which_key(
    database_url: str,
) -> None:
    async with site(database_url) as served:
        await limited(served)
        visitor = await manager(served)
        with anyio.fail_after(30):
            # The claim holds back the others of the key.
            while "acme" not in (text := (await visitor.get(PATH)).text):
                await anyio.sleep(0.05)
    assert "Queues" in text
    assert "3 due" in text
    assert "by vera" in text
    assert "The disk of the warehouse is nearly full; the new one comes today" in text
    assert "not while paused" in text
    assert "1 at a time" in text
    assert "60 starts in 1 min" in text
    assert "by default 600; set by vera" in text
    assert f"Change… {PER_PARTNER}" in text


async def test_a_manager_pauses_and_resumes_a_queue(database_url: str) -> None:
    async with site(database_url, mode="Producer") as served:
        visitor = await manager(served)
        before = datetime.now(UTC)
        form = f"{PATH}/pause?kind=queue&name=partners"
        assert form in (await visitor.get(PATH)).links
        assert "Pause the queue partners" in (await visitor.get(form)).text
        location, page = await visitor.post(form, {"reason": "Maintenance", "ends": "1h"})
        assert location == f"{PATH}?notice=paused"
        assert "It is paused: no worker starts another of its jobs." in page.text
        paused = await status(served, "partners")
        assert (paused.is_paused, paused.reason) == (True, "Maintenance")
        assert paused.paused_until is not None
        assert timedelta(minutes=59) < paused.paused_until - before < timedelta(minutes=61)
        location, page = await visitor.post(f"{PATH}/resume?kind=queue&name=partners")
        assert "It is resumed" in page.text
        assert not (await status(served, "partners")).is_paused


async def test_a_manager_pauses_a_type_without_an_end_or_a_reason(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        visitor = await manager(served)
        _, page = await visitor.post(f"{PATH}/pause?kind=type&name={JOB_TYPE}", {"ends": ""})
        assert "until somebody resumes it" in page.text
        found = await (await served.service(Queues)).job_type(JOB_TYPE)
        assert (found.is_paused, found.paused_until, found.reason) == (True, None, "")
        await visitor.get(f"{PATH}/pause?kind=type&name=no.Such", status=404)
        await visitor.get(f"{PATH}/pause?kind=module&name=x", status=422)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"reason": "x" * 501}, "500 characters"),
        ({"reason": "two\nlines"}, "The reason is"),
        ({"ends": "soon", "reason": "Keep me"}, "Keep me"),
    ],
)
async def test_a_form_that_is_refused_is_shown_again(
    sqlite_url: str, values: Any, words: str
) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        visitor = await manager(served)
        path, page = await visitor.post(f"{PATH}/pause?kind=queue&name=partners", values)
        assert path.startswith(f"{PATH}/pause")
        assert words in page.source
        assert not (await status(served, "partners")).is_paused


async def test_a_manager_sets_a_limit_and_goes_back_to_the_default(database_url: str) -> None:
    async with site(database_url, mode="Producer") as served:
        visitor, reader = await manager(served), await served.service(LimitReader)
        form = f"{PATH}/limit?name=partner/api"
        assert form in (await visitor.get(PATH)).links
        assert "Back to the default" not in (await visitor.get(form)).text
        _, page = await visitor.post(form, {"limit": "7"})
        assert "The limit holds in all workers" in page.text
        assert (await reader.find("partner/api")).status.limit == 7
        assert "Back to the default, 600" in (await visitor.get(form)).text
        for bad in ("0", "1000001", "many", ""):
            await visitor.post(form, {"limit": bad})
        assert (await reader.find("partner/api")).status.limit == 7
        _, page = await visitor.post(f"{PATH}/limit/reset?name=partner/api", {"limit": "7"})
        assert "The limit is the one of its class again" in page.text
        assert (await reader.find("partner/api")).status.limit == 600
        await visitor.get(f"{PATH}/limit?name=nothing", status=404)


async def test_a_viewer_sees_no_button_and_is_refused(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        visitor = await Visitor.of(served, VIEW)
        page = await visitor.get(PATH)
        assert "partners" in page.text
        assert not [link for link in page.links if "/pause" in link or "/limit" in link]
        await visitor.get(f"{PATH}/pause?kind=queue&name=partners", status=403)
        for form in ("pause?kind=queue&name=a", "resume?kind=queue&name=a", "limit?name=a"):
            answer = await visitor.client.post(f"{PATH}/{form}", data={"limit": "1"})
            assert answer.status_code == 403


async def test_it_says_when_a_queue_has_caught_up(database_url: str) -> None:
    async with site(database_url) as served:
        visitor = await manager(served)
        done = await served.scheduling.enqueue(ImportCustomersJob, Steps(), queue="daily")
        await served.reaches(done, JobState.COMPLETED)
        queues = await served.service(Queues)

        async def daily() -> Any:
            views, _ = await queues.all()
            return next(each for each in views if each.status.name == "daily")

        assert (await daily()).catches_up_in == timedelta(0)
        await served.scheduling.pause_queue("daily")
        waiting = await served.scheduling.enqueue(CallPartnerJob, Steps(), queue="daily")
        view = await daily()
        assert (view.status.due, view.status.finished_last_minute) == (1, 1)
        assert (view.arrived_last_minute, view.catches_up_in) == (2, None)
        await served.scheduling.resume_queue("daily")
        await served.reaches(waiting, JobState.COMPLETED)
        assert (await visitor.get(f"{PATH}?notice=resumed")).text


async def test_it_is_live(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        for permissions, has_buttons in (((VIEW, MANAGE), True), ((VIEW,), False)):
            visitor = await Visitor.of(served, *permissions)
            assert 'data-watch="queues"' in (await visitor.get(PATH)).source
            answer = await visitor.client.get("/admin/jobs/events?watch=queues&poll=true")
            html = answer.json()["fragments"]["live_queues"]
            assert "partners" in html
            assert ("Pause…" in html) is has_buttons
