"""Which class implements which contract, and which services each host runs."""

from typing import Any, Final

from modhost import HostedService, HostInfo, ServiceCollection
from modhost.database import Database
from modhost_background_jobs.bulk import changes
from modhost_background_jobs.bulk.runner import BulkRunner
from modhost_background_jobs.client import querying, run_again, scheduling
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    RegisteredJob,
    add_module_job,
)
from modhost_background_jobs.inspection import diagnosis, overview, snapshot
from modhost_background_jobs.inspection import job as inspection
from modhost_background_jobs.inspection.schedules import Schedules
from modhost_background_jobs.maintenance import recurring, retention, stalled_jobs
from modhost_background_jobs.model import CurrentWorker, JobTypes
from modhost_background_jobs.options import BackgroundJobsOptions, WorkerMode
from modhost_background_jobs.pages import dashboard
from modhost_background_jobs.pages.live import feed, topics
from modhost_background_jobs.queries import details, listing, load, search
from modhost_background_jobs.queue import firing, job_queue, schedules
from modhost_background_jobs.storage import JobStore, Wakeups, open_store, open_wakeups
from modhost_background_jobs.storage.postgres.notifications import Notifications
from modhost_background_jobs.storage.statistics import StatisticsStore
from modhost_background_jobs.worker import executor, processor, registration, shutdown
from modhost_background_jobs.worker.attempts import context, outcome, runner
from modhost_background_jobs.worker.claiming import claim_loop
from modhost_background_jobs.worker.finishing import finisher, progress, statistics
from modhost_background_jobs.worker.processes.pool import ProcessPool
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.watching import lease_watch, unresponsive

_PARTS: Final[tuple[type[Any], ...]] = (
    *(Notifications, StatisticsStore),
    *(job_queue.DatabaseJobQueue, schedules.RecurringSchedules, firing.RecurringFiring),
    *(
        search.JobBrowser,
        listing.JobListing,
        details.JobDetailReader,
        details.JobLogs,
        load.QueueLoad,
    ),
    *(snapshot.Snapshots, overview.Overview, inspection.JobInspection, diagnosis.QueueDiagnosis),
    *(Schedules, run_again.Rerunning),
    *(CurrentWorker, registration.WorkerRegistration, claim_loop.ClaimLoop, shutdown.Shutdown),
    *(executor.AttemptExecutor, runner.AttemptRunner, ProcessRunner, ProcessPool, outcome.Outcomes),
    *(progress.ProgressBuffer, finisher.OutcomeWriter, finisher.Finisher),
    *(lease_watch.WorkerWatch, unresponsive.UnresponsiveAttempts),
    *(processor.JobProcessorService, statistics.StatisticsService),
    *(stalled_jobs.StalledJobSweeperService, stalled_jobs.BulkSweeperService),
    *(recurring.RecurringJobsService, retention.RetentionService),
    *(changes.BulkChanges, changes.BulkRequests, BulkRunner),
    *(dashboard.Dashboard, topics.Fragments, topics.Topics, feed.LiveFeed),
)


def add_services(services: ServiceCollection) -> None:
    """Register everything; producers have the worker's parts too, but do not run them."""
    services.add_singleton(BackgroundJobs, scheduling.BackgroundJobsService)
    services.add_singleton(BackgroundJobsContracts, querying.BackgroundJobsQueries)
    services.add_singleton(JobStore, _job_store)
    services.add_singleton(Wakeups, open_wakeups)
    services.add_singleton(JobTypes, _job_types)
    services.add_singleton(context.Reports, _reports)
    for part in _PARTS:
        services.add_singleton(part)
    add_module_job(services, changes.ChangeManyJobs)


def _job_store(database: Database, notifications: Notifications) -> JobStore:
    return open_store(database, notifications)


def _job_types(registered: tuple[RegisteredJob, ...]) -> JobTypes:
    return JobTypes(registered, operations=[changes.ChangeManyJobs])


def _reports(buffer: progress.ProgressBuffer) -> context.Reports:
    return buffer


def hosted_services(options: BackgroundJobsOptions, host: HostInfo) -> list[type[HostedService]]:
    """Return what this host runs besides requests; the first to start are the last to stop."""
    services: list[type[HostedService]] = [Notifications, progress.ProgressBuffer, BulkRunner]
    if host.role == "web":
        services.append(feed.LiveFeed)
    if options.worker_mode is not WorkerMode.CONSUMER and host.role != "worker":
        return [*services, stalled_jobs.BulkSweeperService]
    return [
        *services,
        statistics.StatisticsService,
        processor.JobProcessorService,
        stalled_jobs.StalledJobSweeperService,
        recurring.RecurringJobsService,
        retention.RetentionService,
    ]
