"""Texts of any length on the page of a job: a bounded page, and downloads that have all of them."""

import pytest

from modhost_background_jobs.contracts import JobState
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

LONG = "A word. " * 40_000


async def test_a_page_shows_the_start_of_long_texts_and_downloads_have_all(
    served: Site, visitor: Visitor
) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=1, note=LONG))
    await served.reaches(job_id, JobState.COMPLETED)
    page = await visitor.get(f"/admin/jobs/{job_id}")
    assert len(page.source) < 40_000
    assert "The first 10 000 of 320 " in page.text
    assert "more characters in the download" in page.text
    path = f"/admin/jobs/{job_id}/input.json"
    assert path in page.links
    answer = await visitor.client.get(path)
    assert answer.json()["note"] == LONG
    assert answer.headers["content-disposition"].startswith("attachment")
    assert (await visitor.client.get(f"/admin/jobs/{job_id}/result.json")).json() == {"imported": 1}
    polled = await visitor.client.get(f"/admin/jobs/events?watch=job&id={job_id}&poll=true")
    assert len(polled.content) < 40_000


async def test_what_a_job_does_not_have_is_not_found(served: Site, visitor: Visitor) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob)
    await served.ends(job_id)
    for name in ("input", "result"):
        page = await visitor.get(f"/admin/jobs/{job_id}/{name}.json", 404)
        assert f"has no {name}" in page.text


async def test_the_error_of_a_failed_job_is_shown_once_with_its_traceback_open(
    served: Site, visitor: Visitor
) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    await served.reaches(job_id, JobState.FAILED)
    page = await visitor.get(f"/admin/jobs/{job_id}")
    before, _, trace = page.source.partition("Traceback (most recent call last)")
    error = "ConnectionError: The server of customers refused record 1"
    assert before.count(error) == 1
    assert "<details open>" in before
    assert error in trace, "the last line of the traceback"
