"""The contract for code in threads, which cannot await."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar, Unpack, overload

from modhost_background_jobs.contracts.ids import JobId
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.models import JobStatus
from modhost_background_jobs.contracts.scheduling.options import ManyJobsOptions, NewJobOptions

Data = TypeVar("Data")


class JobsFromThread(Protocol):
    """What `BackgroundJobs` does, for threads: each call blocks its thread until it is done.

    It is for plain `def` endpoints and jobs, and for threads that they start. A session of the
    database belongs to the event loop, so none can be given. On the thread of the event loop, which
    a call would block forever, it raises `RuntimeError`.
    """

    @overload
    def enqueue(
        self, job: type[ModuleJob[Data, Any]], data: Data, **options: Unpack[NewJobOptions]
    ) -> JobId: ...

    @overload
    def enqueue(
        self,
        job: type[ModuleJob[None, Any]],
        data: None = None,
        **options: Unpack[NewJobOptions],
    ) -> JobId: ...

    def enqueue(
        self, job: type[ModuleJob], data: Any = None, **options: Unpack[NewJobOptions]
    ) -> JobId:
        """Store a job to run as soon as a consumer is free.

        Args:
            job: the class of the job.
            data: the job's input; None by default.
            options: what `BackgroundJobs.enqueue` takes besides, without a session.

        Returns:
            The id of the job.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: for the reasons that `BackgroundJobs.enqueue` gives.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: `after` is neither a node nor an id, or names no job while `when` is
                `failed`, or `when` is unknown.
            JobNotFound: a job of `after` does not exist.

        """

    def enqueue_many(
        self,
        job: type[ModuleJob[Data, Any]],
        data: Sequence[Data],
        **options: Unpack[ManyJobsOptions],
    ) -> list[JobId]:
        """Store one job for each item of `data`, all or none.

        Args:
            job: the class of the jobs.
            data: the input of each job.
            options: what `BackgroundJobs.enqueue_many` takes besides, without a session.

        Returns:
            The ids of the jobs, in the order of `data`.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: for the reasons that `BackgroundJobs.enqueue_many` gives.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: with `then`: another job has the key of a `unique` class.

        """

    @overload
    def schedule(
        self,
        job: type[ModuleJob[Data, Any]],
        execute_at: datetime,
        data: Data,
        **options: Unpack[NewJobOptions],
    ) -> JobId: ...

    @overload
    def schedule(
        self,
        job: type[ModuleJob[None, Any]],
        execute_at: datetime,
        data: None = None,
        **options: Unpack[NewJobOptions],
    ) -> JobId: ...

    def schedule(
        self,
        job: type[ModuleJob],
        execute_at: datetime,
        data: Any = None,
        **options: Unpack[NewJobOptions],
    ) -> JobId:
        """Store a job to run at a later time.

        Args:
            job: the class of the job.
            execute_at: when the job is due, with a time zone.
            data: the job's input; None by default.
            options: what `BackgroundJobs.schedule` takes besides, without a session.

        Returns:
            The id of the job.

        Raises:
            UnregisteredJob: no module registered the class on this host.
            InvalidJobData: for the reasons that `BackgroundJobs.schedule` gives.
            InvalidFlow: `queue`, `priority` or a tag is out of bounds.
            InvalidWorkflow: `after` is neither a node nor an id, or names no job while `when` is
                `failed`, or `when` is unknown.
            JobNotFound: a job of `after` does not exist.

        """

    def cancel(self, job_id: JobId) -> JobStatus:
        """Cancel a pending job at once, or ask a running one to stop.

        Args:
            job_id: the job to cancel.

        Returns:
            The job's status: `Cancelled`, or `Running` until the job has stopped.

        Raises:
            JobNotFound: there is no such job.
            JobConflict: the job has finished.

        """

    def get_status(self, job_id: JobId) -> JobStatus | None:
        """Return the status of a job, or None when there is no such job.

        Args:
            job_id: the job to read.

        """

    def wait(self, job_id: JobId, timeout: timedelta) -> JobStatus:
        """Wait until a job has ended.

        Args:
            job_id: the job to wait for.
            timeout: how long to wait, from 0, which asks once.

        Returns:
            The status of the job.

        Raises:
            JobNotFound: there is no such job, or it was deleted meanwhile.
            TimeoutError: the job has not ended in time; it continues.
            InvalidJobData: `timeout` is not a timedelta, or out of bounds.

        """
