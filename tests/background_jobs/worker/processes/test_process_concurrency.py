"""No more jobs run in processes of their own than the option says, whatever slots are free."""

from pathlib import Path

import pytest

from background_jobs.hosts import computing_host
from background_jobs.process_module import PrintingJob

pytestmark = pytest.mark.anyio


async def test_a_worker_takes_no_more_process_jobs_than_it_has_processes_for(
    database_url: str, tmp_path: Path
) -> None:
    async with computing_host(database_url, tmp_path, process_concurrency=1) as jobs:
        ids = [await jobs.scheduling.enqueue(PrintingJob) for _ in range(4)]
        done = [await jobs.ends(id_) for id_ in ids]
    begun = sorted(job.started_at for job in done if job.started_at)
    ended = sorted(job.completed_at for job in done if job.completed_at)
    assert len(begun) == len(ended) == 4
    # Each begins once the one before has ended.
    assert all(start >= end for start, end in zip(begun[1:], ended, strict=False))
