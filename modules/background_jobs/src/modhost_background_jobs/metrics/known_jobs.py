"""The jobs that this host knows: their metrics are there, at 0, before any is enqueued."""

from collections.abc import Iterable

from modhost_background_jobs.contracts import RegisteredJob
from modhost_background_jobs.model import JobTypes


def known_jobs(registered: Iterable[RegisteredJob], types: JobTypes) -> list[tuple[str, str]]:
    """Return the queue and the type of each job class that workers run."""
    return [
        (each.job_class.queue, each.job_type)
        for each in registered
        if not each.is_alias and each.job_type not in types.of_bulk_runners
    ]
