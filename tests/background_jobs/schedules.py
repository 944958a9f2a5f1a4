"""A schedule to put, and what tests do to those that are due."""

from modhost_background_jobs.contracts import CatchUpPolicy, OverlapPolicy
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedules import ScheduleSettings


def settings(
    name: str = "nightly",
    cron: str = "*/10 * * * *",
    overlap: OverlapPolicy = OverlapPolicy.SKIP,
    catch_up: CatchUpPolicy = CatchUpPolicy.ONE,
) -> ScheduleSettings:
    return ScheduleSettings(
        name=name,
        schedule=CronSchedule.parse(cron),
        job_type="tests.Job",
        module_name="tests",
        data=None,
        overlap=overlap,
        catch_up=catch_up,
        max_attempts=3,
        timeout=None,
    )


async def fire_due(firing: RecurringFiring) -> int:
    return sum([await firing.fire(each) for each in (await firing.look()).due])


async def runs(listing: JobListing) -> list[str]:
    rows, _ = await listing.page(None, None, 0, 1000)
    return [row["state"] for row in reversed(rows)]
