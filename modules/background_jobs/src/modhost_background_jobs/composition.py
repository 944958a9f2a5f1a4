"""Which class stands behind which contract."""

from modhost.clock import Clock
from modhost.database import Database
from modhost.services import ServiceCollection, ServiceProvider
from modhost_background_jobs.bulk.changes import BulkChanges
from modhost_background_jobs.bulk.jobs import BulkOrders, ChangeManyJobs
from modhost_background_jobs.bulk.runner import BulkRunner
from modhost_background_jobs.bulk.service import BulkChangeService
from modhost_background_jobs.client.querying import BackgroundJobsQueries
from modhost_background_jobs.client.run_again import Rerunning
from modhost_background_jobs.client.scheduling import BackgroundJobsService
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    RegisteredJob,
    add_module_job,
)
from modhost_background_jobs.maintenance.recurring import RecurringJobsService
from modhost_background_jobs.maintenance.retention import RetentionService
from modhost_background_jobs.maintenance.stalled_jobs import (
    BulkSweeperService,
    StalledJobSweeperService,
)
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.monitoring.diagnosis import QueueDiagnosis
from modhost_background_jobs.monitoring.inspection import JobInspection
from modhost_background_jobs.monitoring.overview import Overview
from modhost_background_jobs.monitoring.schedules import Schedules
from modhost_background_jobs.monitoring.snapshot import Snapshots
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.pages.dashboard import Dashboard
from modhost_background_jobs.pages.live.feed import LiveFeed
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.pages.live.topics import Topics
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.logs import JobLogs
from modhost_background_jobs.queries.search import JobBrowser
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore, Wakeups, open_wakeups
from modhost_background_jobs.storage.opening import open_store
from modhost_background_jobs.storage.postgres.notifications import Notifications
from modhost_background_jobs.storage.statistics import StatisticsStore
from modhost_background_jobs.worker.attempts.poison_jobs import PoisonJobs
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.attempts.unresponsive import UnresponsiveAttempts
from modhost_background_jobs.worker.finishing.finisher import Finisher
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer, ProgressFlushService
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.processes.pool import ProcessPool
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.processor import JobProcessorService


def add_services(services: ServiceCollection) -> None:
    """Register everything; producers have the worker's parts too, but do not run them."""
    services.add_singleton(BackgroundJobs, BackgroundJobsService)
    services.add_singleton(BackgroundJobsContracts, BackgroundJobsQueries)
    _add_queue(services)
    _add_worker(services)
    for part in (
        Snapshots,
        Overview,
        JobInspection,
        BulkChanges,
        BulkOrders,
        QueueDiagnosis,
        Rerunning,
        Schedules,
    ):
        services.add_singleton(part)
    for live in (Dashboard, Fragments, Topics, LiveFeed):
        services.add_singleton(live)
    add_module_job(services, ChangeManyJobs)


def _add_queue(services: ServiceCollection) -> None:
    services.add_singleton(JobStore, _job_store)
    services.add_singleton(Wakeups, open_wakeups)
    services.add_singleton(JobTypes, _job_types)
    for part in (
        DatabaseJobQueue,
        Notifications,
        JobBrowser,
        JobListing,
        JobDetailReader,
        JobLogs,
        QueueLoad,
        RecurringSchedules,
        RecurringFiring,
        StatisticsStore,
    ):
        services.add_singleton(part)


def _add_worker(services: ServiceCollection) -> None:
    services.add_singleton(ProgressBuffer, _progress_buffer)
    services.add_singleton(AttemptRunner, _attempt_runner)
    for part in (
        ProcessPool,
        ProcessRunner,
        Finisher,
        UnresponsiveAttempts,
        PoisonJobs,
        ProgressFlushService,
        JobProcessorService,
        StalledJobSweeperService,
        BulkRunner,
        BulkChangeService,
        BulkSweeperService,
        RecurringJobsService,
        RetentionService,
        StatisticsService,
    ):
        services.add_singleton(part)


def _job_store(database: Database, notifications: Notifications) -> JobStore:
    return open_store(database, notifications)


def _job_types(registered: tuple[RegisteredJob, ...]) -> JobTypes:
    return JobTypes(registered, operations=[ChangeManyJobs])


def _progress_buffer(store: JobStore, options: BackgroundJobsOptions) -> ProgressBuffer:
    return ProgressBuffer(store, options.max_log_entries, options.progress_flush_batch_size)


def _attempt_runner(
    provider: ServiceProvider, buffer: ProgressBuffer, options: BackgroundJobsOptions, clock: Clock
) -> AttemptRunner:
    return AttemptRunner(provider, buffer, options, clock)
