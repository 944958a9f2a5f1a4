"""However many jobs wait, what operators see of queues and limits reads a bounded part of them."""

import pytest

from background_jobs.flow.control.served import MailJob, served
from background_jobs.jobs_module import ReportingJob, Work
from background_jobs.queries.plans import assert_read_by, plans_of, statements
from modhost.database import Database
from modhost_background_jobs.inspection.limits import LimitReader
from modhost_background_jobs.inspection.queues import Queues
from modhost_background_jobs.queries.flow.backlog import MAX_COUNTED

pytestmark = pytest.mark.anyio


async def test_more_than_are_counted_are_shown_as_such(database_url: str) -> None:
    async with served(database_url) as (jobs, _):
        await jobs.scheduling.enqueue_many(ReportingJob, [None] * (MAX_COUNTED + 5))
        await jobs.scheduling.enqueue(ReportingJob, queue="bulk")
        queues, types = await (await jobs.service(Queues)).all()
    found = {each.status.name: (each.status.due, each.is_capped) for each in (*queues, *types)}
    assert found["default"] == (MAX_COUNTED, True)
    assert found["bulk"] == (1, False)
    assert found["tests.ReportingJob"] == (MAX_COUNTED + 1, True)


async def test_everything_is_found_by_an_index(sqlite_url: str) -> None:
    async with served(sqlite_url) as (jobs, _):
        await jobs.scheduling.enqueue(ReportingJob, Work())
        await jobs.scheduling.enqueue(MailJob, Work())
        with statements() as sent:
            await (await jobs.service(Queues)).all()
            await (await jobs.service(LimitReader)).all()
        plans = await plans_of(await jobs.service(Database), sent)
    assert len(plans) > 10
    by_index = (
        "_claim (",
        "_lane_type (",
        "_held (",
        "_completed (",
        "_running",
        "_recurring",
        "_waiting",
    )
    few = ("background_jobs_limits", "background_jobs_workers", "background_jobs_pauses")
    # The newest by their ids.
    newest = (
        "sqlite_autoindex_background_jobs_jobs_1",
        "autoindex_background_jobs_finished_jobs_1",
    )
    assert_read_by(plans, "COVERING INDEX", "(id=?)", *by_index, *few, *newest)
