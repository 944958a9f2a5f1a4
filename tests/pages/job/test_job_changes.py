"""Running a job now, moving its time and deleting it on its page, without JavaScript."""

from datetime import UTC, datetime, timedelta

import pytest

from modhost_background_jobs.contracts import JobDetail, JobFilter, JobId, JobState
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

LATER = datetime.now(UTC) + timedelta(days=1)


async def test_a_pending_job_is_run_now_from_its_page(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER, Steps())
    path = f"/admin/jobs/{job_id}"
    assert {"Run now", "Reschedule", "Cancel"} <= {*(await visitor.get(path)).buttons}
    _, page = await visitor.post(f"{path}/run-now")
    assert "The job is due now." in page.text
    await served.reaches(job_id, JobState.COMPLETED)
    page = await visitor.get(path)
    assert not {"Run now", "Reschedule", "Cancel"} & {*page.buttons}
    _, page = await visitor.post(f"{path}/run-now")
    assert "Nothing was done: the job had started already" in page.text


async def test_a_job_that_waits_for_others_has_no_button_to_run_it(
    served: Site, visitor: Visitor
) -> None:
    first = await served.scheduling.schedule(ImportCustomersJob, LATER, Steps())
    after = await served.scheduling.enqueue(ImportCustomersJob, Steps(), after=[first])
    page = await visitor.get(f"/admin/jobs/{after}")
    assert "Run now" not in page.buttons
    assert "It waits for other jobs" in (await visitor.get(f"/admin/jobs/{after}/reschedule")).text
    _, page = await visitor.post(f"/admin/jobs/{after}/run-now")
    assert "or waits for other jobs" in page.text


async def test_a_time_is_moved_by_the_clock_of_a_zone(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER, Steps())
    path = f"/admin/jobs/{job_id}/reschedule"
    page = await visitor.get(path)
    assert page.values["zone"] == ["UTC"]
    assert page.values["execute_at"] == [f"{LATER:%Y-%m-%dT%H:%M}"]
    assert "Due at ( UTC )" in page.text
    _, page = await visitor.post(path, {"execute_at": "2199-07-01T12:00", "zone": "Europe/Berlin"})
    assert "The job has its new time." in page.text
    assert (await _detail(served, job_id)).execute_at == datetime(2199, 7, 1, 10, tzinfo=UTC)
    await visitor.post(path, {"execute_at": "2199-07-01T12:00"})
    assert (await _detail(served, job_id)).execute_at == datetime(2199, 7, 1, 12, tzinfo=UTC)


async def test_a_time_or_a_zone_that_is_none_is_refused_at_its_field(
    served: Site, visitor: Visitor
) -> None:
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER, Steps())
    path = f"/admin/jobs/{job_id}/reschedule"
    _, page = await visitor.post(path, {"execute_at": "at noon"})
    assert 'id="execute_at-error"' in page.source
    assert page.values["execute_at"] == ["at noon"]
    _, page = await visitor.post(path, {"execute_at": "2199-07-01T12:00", "zone": "Mars/Olympus"})
    assert "is not a time zone that this machine knows" in page.text
    assert (await _detail(served, job_id)).execute_at == LATER


async def test_a_finished_job_is_deleted_after_a_question(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(job_id, JobState.COMPLETED)
    path = f"/admin/jobs/{job_id}"
    assert "Delete…" in (await visitor.get(path)).buttons
    assert "Delete the job" in (await visitor.get(f"{path}/delete")).buttons
    location, page = await visitor.post(f"{path}/delete")
    assert location.startswith("/admin/jobs/list")
    assert "The job is deleted." in page.text
    assert (await visitor.client.get(path)).status_code == 404


async def test_a_pending_job_is_not_deleted(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER, Steps())
    assert "Delete…" not in (await visitor.get(f"/admin/jobs/{job_id}")).buttons
    _, page = await visitor.post(f"/admin/jobs/{job_id}/delete")
    assert "Nothing was done: the job, its workflow or a job after it is unfinished." in page.text


async def _detail(served: Site, job_id: JobId) -> JobDetail:
    found = await served.querying.get_job_detail(job_id)
    assert found is not None
    return found


async def test_a_change_of_many_shows_their_states_and_types(
    served: Site, visitor: Visitor
) -> None:
    later = [await served.scheduling.schedule(ImportCustomersJob, LATER) for _ in range(2)]
    done = await served.scheduling.enqueue(ImportCustomersJob, Steps())
    await served.reaches(done, JobState.COMPLETED)
    asked = await visitor.get("/admin/jobs/many?change=cancel&all=true")
    assert "Pending ImportCustomersJob customers 2" in asked.text
    assert "typed" not in asked.values
    assert "Completed" not in asked.text
    ticked = await visitor.get(f"/admin/jobs/many?change=cancel&id={later[0]}&id={done}")
    assert "Pending ImportCustomersJob customers 1" in ticked.text
    assert "Completed ImportCustomersJob customers skipped 1" in ticked.text


async def test_a_change_of_more_than_a_thousand_jobs_asks_for_their_number(
    database_url: str,
) -> None:
    async with site(database_url, mode="Producer") as served:
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 1001)
        search = {"change": "cancel", "all": "true", "state": "Pending"}
        asked = await visitor.get("/admin/jobs/many?change=cancel&all=true&state=Pending")
        assert "Type 1 001 to confirm" in asked.text
        assert asked.values["shown"] == ["1001"]
        # Neither a form without the number nor one that shows another is taken.
        for wrong in ({}, {"shown": "1001", "typed": "1000"}, {"shown": "5", "typed": "5"}):
            _, page = await visitor.post("/admin/jobs/many/apply", search | wrong)
            assert "Type the number 1001: nothing was done yet." in page.text
        jobs = await served.querying.get_jobs(JobFilter(state=JobState.PENDING))
        assert jobs.total_count == 1001
        sent = search | {"shown": "1001", "typed": "1 001"}
        _, page = await visitor.post("/admin/jobs/many/apply", sent)
        assert "This background job makes the change" in page.text
