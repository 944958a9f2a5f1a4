"""The jobs of a host under test, for tests that are plain functions."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar, overload

from modhost.testing import BlockingHost
from modhost_background_jobs.contracts import JobDetail, JobId, JobsFromThread, JobStatus, ModuleJob
from modhost_background_jobs.testing.jobs import DRAIN_SECONDS, WAIT_SECONDS, Jobs, Mode
from modhost_background_jobs.testing.performing import Performed
from modhost_background_jobs.testing.stored_jobs import ANY, StoredJob

Data = TypeVar("Data")
Result = TypeVar("Result")


class BlockingJobs:
    """`Jobs` for plain functions; the fixture `jobs` of a `def`. `Jobs` describes each method.

    Attributes:
        jobs: the same jobs, for code on the event loop of the host.
        scheduling: enqueues, schedules, cancels.

    """

    def __init__(self, host: BlockingHost, jobs: Jobs) -> None:
        self.jobs = jobs
        self.scheduling: JobsFromThread = host.portal.call(lambda: jobs.scheduling.from_thread)
        self._call = host.portal.call

    @classmethod
    @contextmanager
    def of(cls, host: BlockingHost, mode: Mode = "held") -> Iterator["BlockingJobs"]:
        """Take care of the jobs of a host during the block."""
        with host.portal.wrap_async_context_manager(Jobs.of(host.running, mode)) as jobs:
            yield cls(host, jobs)

    def drain(self, seconds: float = DRAIN_SECONDS) -> list[JobStatus]:
        """Run a real worker until nothing is due."""
        return self._call(self.jobs.drain, seconds)

    def lose_worker(self, *, after_running: bool = False) -> list[JobStatus]:
        """Let a worker take what is due, and die."""
        return self._call(lambda: self.jobs.lose_worker(after_running=after_running))

    def wait(self, job_id: JobId, seconds: float = WAIT_SECONDS) -> JobDetail:
        """Wait until a job has ended; for a real worker."""
        return self._call(self.jobs.wait, job_id, seconds)

    def detail(self, job_id: JobId) -> JobDetail:
        """Return a job with its data, result, log, attempts and steps."""
        return self._call(self.jobs.detail, job_id)

    def all(self) -> list[StoredJob]:
        """Return all jobs that were enqueued."""
        return self._call(self.jobs.all)

    def assert_enqueued(
        self,
        job: type[ModuleJob],
        data: Any = ANY,
        *,
        queue: str | None = None,
        priority: int | None = None,
        tags: Collection[str] | None = None,
        execute_at: datetime | None = None,
        count: int | None = None,
    ) -> StoredJob:
        """Fail unless a job was enqueued."""
        return self._call(
            lambda: self.jobs.assert_enqueued(
                job,
                data,
                queue=queue,
                priority=priority,
                tags=tags,
                execute_at=execute_at,
                count=count,
            )
        )

    def refute_enqueued(
        self, job: type[ModuleJob], data: Any = ANY, *, queue: str | None = None
    ) -> None:
        """Fail if a job was enqueued."""
        self._call(lambda: self.jobs.refute_enqueued(job, data, queue=queue))

    @overload
    def perform(
        self, job: type[ModuleJob[Data, Result]], data: Data, *, attempt: int = 1
    ) -> Performed[Result]: ...

    @overload
    def perform(
        self, job: type[ModuleJob[None, Result]], data: None = None, *, attempt: int = 1
    ) -> Performed[Result]: ...

    def perform(
        self, job: type[ModuleJob[Any, Any]], data: Any = None, *, attempt: int = 1
    ) -> Performed[Any]:
        """Run one attempt of a job at once."""
        return self._call(lambda: self.jobs.perform(job, data, attempt=attempt))
