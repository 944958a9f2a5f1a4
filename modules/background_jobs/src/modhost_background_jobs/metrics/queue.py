"""What waits and runs, for all workers: read from the database by indexes, up to a bound."""

from modhost.database import Database
from modhost.metrics import Samples
from modhost_background_jobs.contracts import RegisteredJob
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.metrics import declared
from modhost_background_jobs.metrics.known_jobs import known_jobs
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.queries.flow.backlog import Backlog, backlogs, running_jobs
from modhost_background_jobs.queries.flow.held_jobs import held_counts
from modhost_background_jobs.storage import QueueClock


class QueueMetrics:
    """Reads the queue; the number of statements does not depend on what it holds."""

    def __init__(
        self,
        database: Database,
        snapshots: Snapshots,
        registered: tuple[RegisteredJob, ...],
        types: JobTypes,
        clock: QueueClock,
    ) -> None:
        self._database = database
        self._snapshots = snapshots
        self._known = known_jobs(registered, types)
        # Bulk changes need no worker, and no queue holds them up.
        self._hidden = frozenset(types.of_bulk_runners)
        self._clock = clock

    async def add(self, samples: Samples) -> None:
        """Add everything."""
        now = self._clock.now()
        async with self._database.reading() as session:
            connection = await session.connection()
            waiting = await backlogs(connection, now)
            running = (await running_jobs(connection)).by_queue_and_type
            held = await held_counts(connection)
        nothing = [Backlog(queue, job_type, 0, 0) for queue, job_type in self._known]
        # The largest first: what is beyond the bound of labels is merged.
        waiting.sort(key=lambda each: each.due + each.later, reverse=True)
        for each in (*nothing, *waiting):
            if each.job_type not in self._hidden:
                of = {"queue": each.queue, "job_type": each.job_type}
                since = each.oldest_due_at if each.due else None
                age = 0.0 if since is None else (now - since).total_seconds()
                samples.add(declared.PENDING, each.due + each.later, **of)
                samples.add(declared.DUE, each.due, **of)
                samples.add(declared.OLDEST_DUE, age, **of)
        for queue, job_type in self._known:
            samples.add(declared.RUNNING, 0, queue=queue, job_type=job_type)
        for (queue, job_type), count in running.items():
            if job_type not in self._hidden:
                samples.add(declared.RUNNING, count, queue=queue, job_type=job_type)
        for limit, count in held.items():
            samples.add(declared.LIMIT_WAITING, count, limit=limit)
        workers = await self._snapshots.workers()
        alive = sum(each.is_alive for each in workers)
        quiet = sum(each.is_alive and each.row.quiet_since is not None for each in workers)
        samples.add(declared.WORKERS, alive - quiet, state="alive")
        samples.add(declared.WORKERS, quiet, state="quiet")
        samples.add(declared.WORKERS, len(workers) - alive, state="silent")
