"""Which class implements which contract, and which services each host runs."""

from typing import Any, Final

from modhost.database import Database
from modhost.module import HostedService, HostInfo
from modhost.services import ServiceCollection
from modhost_background_jobs.bulk.changes import BulkChanges, BulkRequests, ChangeManyJobs
from modhost_background_jobs.bulk.runner import BulkRunner
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
from modhost_background_jobs.model import CurrentWorker, JobTypes
from modhost_background_jobs.monitoring.diagnosis import QueueDiagnosis
from modhost_background_jobs.monitoring.inspection import JobInspection
from modhost_background_jobs.monitoring.overview import Overview
from modhost_background_jobs.monitoring.schedules import Schedules
from modhost_background_jobs.monitoring.snapshot import Snapshots
from modhost_background_jobs.options import BackgroundJobsOptions, WorkerMode
from modhost_background_jobs.pages.dashboard import Dashboard
from modhost_background_jobs.pages.live.feed import LiveFeed
from modhost_background_jobs.pages.live.topics import Fragments, Topics
from modhost_background_jobs.queries.details import JobDetailReader, JobLogs
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.search import JobBrowser
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import JobStore, Wakeups, open_store, open_wakeups
from modhost_background_jobs.storage.postgres.notifications import Notifications
from modhost_background_jobs.storage.statistics import StatisticsStore
from modhost_background_jobs.worker.attempts.context import Reports
from modhost_background_jobs.worker.attempts.outcome import Outcomes
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.executor import AttemptExecutor
from modhost_background_jobs.worker.finishing.finisher import Finisher, OutcomeWriter
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.processes.pool import ProcessPool
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.processor import JobProcessorService
from modhost_background_jobs.worker.registration import WorkerRegistration
from modhost_background_jobs.worker.shutdown import Shutdown
from modhost_background_jobs.worker.watching.lease_watch import WorkerWatch
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts

_PARTS: Final[tuple[type[Any], ...]] = (
    *(Notifications, StatisticsStore, DatabaseJobQueue, RecurringSchedules, RecurringFiring),
    *(JobBrowser, JobListing, JobDetailReader, JobLogs, QueueLoad, Rerunning),
    *(Snapshots, Overview, JobInspection, QueueDiagnosis, Schedules),
    *(CurrentWorker, WorkerRegistration, ClaimLoop, Shutdown, JobProcessorService),
    *(AttemptExecutor, AttemptRunner, ProcessRunner, ProcessPool, Outcomes),
    *(ProgressBuffer, OutcomeWriter, Finisher, StatisticsService),
    *(WorkerWatch, UnresponsiveAttempts),
    *(StalledJobSweeperService, BulkSweeperService, RecurringJobsService, RetentionService),
    *(BulkChanges, BulkRequests, BulkRunner),
    *(Dashboard, Fragments, Topics, LiveFeed),
)


def add_services(services: ServiceCollection) -> None:
    """Register everything; producers have the worker's parts too, but do not run them."""
    services.add_singleton(BackgroundJobs, BackgroundJobsService)
    services.add_singleton(BackgroundJobsContracts, BackgroundJobsQueries)
    services.add_singleton(JobStore, _job_store)
    services.add_singleton(Wakeups, open_wakeups)
    services.add_singleton(JobTypes, _job_types)
    services.add_singleton(Reports, _reports)
    for part in _PARTS:
        services.add_singleton(part)
    add_module_job(services, ChangeManyJobs)


def _job_store(database: Database, notifications: Notifications) -> JobStore:
    return open_store(database, notifications)


def _job_types(registered: tuple[RegisteredJob, ...]) -> JobTypes:
    return JobTypes(registered, operations=[ChangeManyJobs])


def _reports(buffer: ProgressBuffer) -> Reports:
    return buffer


def hosted_services(options: BackgroundJobsOptions, host: HostInfo) -> list[type[HostedService]]:
    """Return what this host runs besides requests; the first to start are the last to stop."""
    services: list[type[HostedService]] = [Notifications, ProgressBuffer, BulkRunner]
    if host.role == "web":
        services.append(LiveFeed)
    if options.worker_mode is not WorkerMode.CONSUMER and host.role != "worker":
        return [*services, BulkSweeperService]
    services += [StatisticsService, JobProcessorService]
    return [*services, StalledJobSweeperService, RecurringJobsService, RetentionService]
