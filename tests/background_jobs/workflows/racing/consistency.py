"""Whether what the tables say of workflows and conditions is what their jobs say."""

from collections import Counter
from typing import Any

from sqlalchemy import Table, select

from modhost.database import Database
from modhost_background_jobs.storage.tables import (
    CONDITIONS,
    DEPENDENCIES,
    FINISHED,
    JOBS,
    WORKFLOWS,
)


async def inconsistencies(database: Database) -> list[str]:
    """Return a sentence for each row that its jobs contradict."""
    async with database.reading() as session:
        connection = await session.connection()

        async def rows(table: Table, *names: str) -> list[Any]:
            columns = [table.c[name] for name in names]
            return list(await connection.execute(select(*columns)))

        live = {row.id: row for row in await rows(JOBS, "id", "workflow_id", "on_hold")}
        over = {row.id: row for row in await rows(FINISHED, "id", "workflow_id", "state")}
        before: dict[Any, list[Any]] = {}
        for job_id, after_id in await rows(DEPENDENCIES, "job_id", "after_id"):
            before.setdefault(job_id, []).append(after_id)
        found = [f"the job {id_} is in both tables" for id_ in live.keys() & over.keys()]
        for condition in await rows(CONDITIONS, "job_id", "run_when", "unfinished", "verdict"):
            jobs = before[condition.job_id]
            is_bad = any(id_ in over and over[id_].state != "Completed" for id_ in jobs)
            unfinished = sum(id_ in live for id_ in jobs)
            job = live.get(condition.job_id)
            if condition.verdict is None:
                is_open = unfinished and (condition.run_when == "finished" or not is_bad)
                if condition.unfinished != unfinished or not is_open or not job or not job.on_hold:
                    found.append(f"{condition} waits for {unfinished}, {is_bad=}, as {job}")
            elif condition.verdict == "run" and job and job.on_hold:
                found.append(f"{condition} may run, and is on hold")
            elif condition.verdict == "cancel" and job:
                found.append(f"{condition} is cancelled, and {job}")
        for workflow in await rows(
            WORKFLOWS, "id", "total", "unfinished", "failed", "cancelled", "outcome"
        ):
            states = Counter(row.state for row in over.values() if row.workflow_id == workflow.id)
            unfinished = sum(row.workflow_id == workflow.id for row in live.values())
            total = states.total() + unfinished
            counted = (total, unfinished, states["Failed"], states["Cancelled"])
            if counted != tuple(workflow[1:5]) or (unfinished == 0) != (
                workflow.outcome is not None
            ):
                found.append(f"{workflow}, and its jobs are {counted}")
    return found
