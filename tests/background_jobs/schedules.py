"""A schedule to put, and what tests do to those that are due."""

from modhost_background_jobs.contracts import CatchUpPolicy, OverlapPolicy
from modhost_background_jobs.model import ScheduleDefinition
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.queue.firing import RecurringFiring


def settings(
    name: str = "nightly",
    cron: str = "*/10 * * * *",
    overlap: OverlapPolicy = OverlapPolicy.SKIP,
    catch_up: CatchUpPolicy = CatchUpPolicy.ONE,
) -> ScheduleDefinition:
    return ScheduleDefinition(
        name=name,
        cron_expression=cron,
        time_zone="UTC",
        job_type="tests.Job",
        module_name="tests",
        data=None,
        overlap=overlap,
        catch_up=catch_up,
        max_attempts=3,
        timeout_seconds=None,
    )


async def fire_due(firing: RecurringFiring) -> int:
    return sum([int(await firing.fire(each)) for each in (await firing.poll()).due])


async def runs(listing: JobListing) -> list[str]:
    rows, *_ = await listing.page(Selection(), 0, 1000)
    return [row.state for row in reversed(rows)]
