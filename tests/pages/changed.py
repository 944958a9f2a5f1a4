"""What a change on the pages leads to."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import JobDetail, JobId
from pages.site import Site

LATER: Final = datetime.now(UTC) + timedelta(days=1)


async def detail(served: Site, job_id: UUID) -> JobDetail:
    """Return a job that is there."""
    found = await served.querying.get_job_detail(JobId(job_id))
    assert found is not None
    return found


def id_in(location: str) -> UUID:
    """Return the job to whose page an answer leads."""
    return UUID(location.removeprefix("/admin/jobs/").partition("?")[0])
