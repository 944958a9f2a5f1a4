"""Many schedules with runs that ended long ago, stored as if they had run."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update

from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import JobState, RecurringJobId
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.queue.inserting import values_of
from modhost_background_jobs.storage.tables import FINISHED, SCHEDULES
from pages.demo import ImportCustomersJob, SendInvoicesJob, Steps
from pages.site import Site

CRONS = ["*/15 8-18 * * 1-5", "0 3 * * *", "30 6 1 * *", "0 */6 * * *", "*/5 * * * *"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York"]


async def fill(served: Site, schedules: int, runs: int) -> list[RecurringJobId]:
    """Add schedules, each with so many runs of which some failed; return their ids."""
    ids: list[RecurringJobId] = []
    for number in range(schedules):
        job = (ImportCustomersJob, SendInvoicesJob)[number % 2]
        recurring = await served.scheduling.add_recurring(
            job,
            name=f"Orders of partner {number:02}",
            cron_expression=CRONS[number % len(CRONS)],
            time_zone=ZONES[number % len(ZONES)],
            data=Steps(),
        )
        ids.append(recurring)
        ends = [JobState.COMPLETED] * runs
        if number % 9 == 0:
            ends[-(number % 4) - 1] = JobState.FAILED
        await add_runs(served, recurring, ends)
    return ids


async def add_runs(
    served: Site, schedule: UUID, states: list[JobState], error: str | None = None
) -> list[UUID]:
    """Store runs of a schedule that ended in these states, the oldest first; return their ids."""
    database = await served.service(Database)
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for number, state in enumerate(states):
        at = now - timedelta(minutes=15 * (len(states) - number))
        job = NewJob(
            id=new_id(),
            job_type="customers.ImportCustomersJob",
            module_name="customers",
            created_at=at,
            execute_at=at,
            max_attempts=3,
            data=None,
            recurring_job_id=schedule,
            due_at=at,
        )
        failed = "ConnectionError: the partner is away" if state is JobState.FAILED else None
        ran = timedelta(seconds=1 + number % 7)
        started = None if state is JobState.SKIPPED else at
        end = {"state": state.value, "started_at": started, "completed_at": at + ran}
        rows.append(values_of(job) | end | {"error": error or failed})
    async with database.session() as session:
        connection = await session.connection()
        await connection.execute(insert(FINISHED), rows)
        last = update(SCHEDULES).where(SCHEDULES.c.id == schedule)
        await connection.execute(last.values(last_run_at=now - timedelta(minutes=15)))
    return [row["id"] for row in rows]
