"""What can be done on the pages, with JavaScript or without."""

import json

import pytest

from modhost_background_jobs.contracts import JobFilter, JobState
from pages.changed import LATER, detail, id_in
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio


async def test_a_pending_job_is_cancelled_once(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER, Steps())
    assert "Cancel" in (await visitor.get(f"/admin/jobs/{job_id}")).buttons
    _, page = await visitor.post(f"/admin/jobs/{job_id}/cancel")
    assert "The job is cancelled." in page.text
    assert "Cancel" not in page.buttons
    assert (await detail(served, job_id)).state is JobState.CANCELLED
    _, page = await visitor.post(f"/admin/jobs/{job_id}/cancel")
    assert "in another state already" in page.text


async def test_a_running_job_is_asked_to_stop(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=1000, pause=0.1))
    await served.reaches(job_id, JobState.RUNNING)
    _, page = await visitor.post(f"/admin/jobs/{job_id}/cancel")
    # It may have stopped before the answer was made.
    assert "asked to stop" in page.text or "The job is cancelled." in page.text
    await served.reaches(job_id, JobState.CANCELLED)


async def test_a_failed_job_shows_its_traceback_and_is_retried(
    served: Site, visitor: Visitor
) -> None:
    job_id = await served.scheduling.enqueue(
        ImportCustomersJob, Steps(fail_at=1, note="<b>bold</b>")
    )
    await served.reaches(job_id, JobState.FAILED)
    page = await visitor.get(f"/admin/jobs/{job_id}")
    assert "ConnectionError: The server of customers refused record 1" in page.text
    assert "Traceback (most recent call last)" in page.text
    assert "&lt;b&gt;bold" in page.source
    assert "<b>bold" not in page.source
    _, page = await visitor.post(f"/admin/jobs/{job_id}/retry")
    assert "waits for its next attempt" in page.text
    again = await served.until(job_id, lambda job: len(job.attempts) == 2 and job.state.is_final)
    assert again.state is JobState.FAILED
    assert "Attempt 2" in (await visitor.get(f"/admin/jobs/{job_id}")).text


async def test_a_job_is_run_again_with_edited_input(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    await served.reaches(job_id, JobState.FAILED)
    form = f"/admin/jobs/{job_id}/run-again"
    assert "&#34;fail_at&#34;: 1" in (await visitor.get(form)).source
    _, page = await visitor.post(form, {"data": '{"steps": 2,'})
    assert "The input is not JSON: line 1, column 13: a name in double quotes" in page.text
    assert 'aria-invalid="true" aria-describedby="problem"' in page.source
    assert "&#34;steps&#34;: 2," in page.source
    location, page = await visitor.post(form, {"data": '{"steps": 2}'})
    assert "the new one" in page.text
    new_id = id_in(location)
    assert new_id != job_id
    done = await served.reaches(new_id, JobState.COMPLETED)
    assert done.data == {"steps": 2}
    assert (await detail(served, job_id)).state is JobState.FAILED


async def test_input_that_the_job_cannot_read_is_refused_field_by_field(
    served: Site, visitor: Visitor
) -> None:
    """It was enqueued, and failed at once."""
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER, Steps())
    form = f"/admin/jobs/{job_id}/run-again"
    _, page = await visitor.post(form, {"data": '{"steps": "many", "note": 3}'})
    assert "steps has to be a whole number." in page.text
    assert "note has to be a text in double quotes." in page.text
    assert "&#34;many&#34;" in page.source
    _, page = await visitor.post(form, {"data": ""})
    assert "The input has to be an object." in page.text
    numbers = ("NaN", "1e400", "-1e999", "9" * 5000)
    odd = ["[" * 100_000, '{"note": "\\ud800"}', *(f'{{"pause": {each}}}' for each in numbers)]
    for data in odd:
        _, page = await visitor.post(form, {"data": data})
        assert 'aria-invalid="true"' in page.source
    jobs = await served.querying.get_jobs(JobFilter(page_size=10))
    assert [job.id for job in jobs.items] == [job_id]


async def test_a_viewer_sees_no_button_and_is_refused(served: Site) -> None:
    job_id = await served.scheduling.schedule(ImportCustomersJob, LATER)
    recurring = await served.scheduling.add_recurring(
        ImportCustomersJob, name="Nightly", cron_expression="0 3 * * *"
    )
    viewer = await Visitor.of(served, "BackgroundJobs.ViewJobs")
    for path in ("", "/list", f"/{job_id}", "/recurring", "/workers"):
        page = await viewer.get(f"/admin/jobs{path}")
        shown = {
            "Search",
            "Last hour",
            "Last day",
            "Last week",
            "Clear",
            "Copy the id",
            "Exact times",
        }
        shown |= {"Keyboard", "Close"}
        allowed = {"Log out", *shown}
        assert set(page.buttons) <= allowed, (path, page.buttons)
    for path in (
        f"{job_id}/cancel",
        f"{job_id}/retry",
        f"{job_id}/run-again",
        "many/apply",
        f"recurring/{recurring}/toggle",
        f"recurring/{recurring}/run",
        f"recurring/{recurring}/delete",
    ):
        answer = await viewer.client.post(f"/admin/jobs/{path}", data={"change": "cancel"})
        assert answer.status_code == 403, path
    assert (await viewer.client.get("/admin/jobs/many?change=cancel")).status_code == 403
    assert (await detail(served, job_id)).state is JobState.PENDING


async def test_a_schedule_is_toggled_run_and_deleted(served: Site, visitor: Visitor) -> None:
    recurring = await served.scheduling.add_recurring(
        ImportCustomersJob,
        name="Nightly",
        cron_expression="30 3 * * 1-5",
        data=Steps(),
        time_zone="Europe/Berlin",
    )
    path = f"/admin/jobs/recurring/{recurring}"
    page = await visitor.get("/admin/jobs/recurring")
    assert "At 03:30, Monday to Friday" in page.text
    assert (await visitor.get(path)).source.count('datetime="20') >= 6
    location, page = await visitor.post(f"{path}/toggle")
    assert "The schedule Nightly is disabled" in page.text
    assert location.partition("?")[0] == path
    assert "Never, while it is disabled." in (await visitor.get(path)).text
    _, page = await visitor.post(f"{path}/toggle")
    assert "The schedule Nightly is enabled." in page.text
    location, page = await visitor.post(f"{path}/run")
    assert "started by hand" in page.text
    run = id_in(location)
    await served.reaches(run, JobState.COMPLETED)
    assert f"/admin/jobs/{run}" in (await visitor.get(path)).links
    assert "Nightly" in (await visitor.get(f"{path}/delete")).text
    assert len(await served.querying.get_recurring_jobs()) == 2
    _, page = await visitor.post(f"{path}/delete")
    assert "The schedule is deleted" in page.text
    assert [each.name for each in await served.querying.get_recurring_jobs()] == ["Monthly Report"]
    _, page = await visitor.post(f"{path}/toggle")
    assert "does not exist any more" in page.text


async def test_a_log_is_searched_and_downloaded(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(lines=900))
    await served.reaches(job_id, JobState.COMPLETED)
    page = await visitor.get(f"/admin/jobs/{job_id}")
    assert "Step 3 of 3" in page.text
    assert "the newest 300 lines" in page.text
    found = await visitor.get(f"/admin/jobs/{job_id}?log=record+7 ")
    assert "Read record 7 of" in found.text
    assert "Step 3 of 3" not in found.text.partition("Timeline")[0].rpartition("Log")[2]
    answer = await visitor.client.get(f"/admin/jobs/{job_id}/log.txt")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert len(answer.text.splitlines()) == 903
    assert json.dumps(answer.text).count("Read record") == 900


async def test_what_is_not_there_is_a_page_with_404(served: Site, visitor: Visitor) -> None:
    for path in ("nonsense", "0199b0b0-0000-7000-8000-000000000000"):
        assert "Not Found" in (await visitor.get(f"/admin/jobs/{path}", 404)).text
