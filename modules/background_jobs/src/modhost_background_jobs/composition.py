"""Which class implements which contract, and which services each host runs."""

from contextlib import suppress
from typing import Any

from modhost import HostedService, HostInfo, ServiceCollection
from modhost.database import Database
from modhost.events import DurableEvents, DurableSubscription
from modhost_background_jobs.bulk import changes
from modhost_background_jobs.bulk.runner import BulkRunner
from modhost_background_jobs.client import (
    event_jobs,
    limit_changes,
    new_jobs,
    querying,
    run_again,
    scheduling,
)
from modhost_background_jobs.client.blocking import waiting
from modhost_background_jobs.client.schedules.editing import ScheduleEditing
from modhost_background_jobs.client.workflows.growth import WorkflowGrowth
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    RegisteredJob,
    add_module_job,
)
from modhost_background_jobs.contracts.events import END_EVENTS
from modhost_background_jobs.inspection import diagnosis, job, overview, queues, snapshot
from modhost_background_jobs.inspection.actions import JobActions
from modhost_background_jobs.inspection.limits import LimitReader
from modhost_background_jobs.inspection.schedules import Schedules
from modhost_background_jobs.inspection.types.figures import TypeFigures
from modhost_background_jobs.inspection.types.view import TypeInspection
from modhost_background_jobs.inspection.workers.status import Workers
from modhost_background_jobs.inspection.workflows.view import WorkflowInspection
from modhost_background_jobs.maintenance import recurring, retention, stalled_jobs
from modhost_background_jobs.maintenance.limit_keys import LimitKeysService
from modhost_background_jobs.maintenance.roll_ups import RollUpService
from modhost_background_jobs.metrics.process import ProcessMetrics, Sweepers
from modhost_background_jobs.metrics.queue import QueueMetrics
from modhost_background_jobs.model import CurrentWorker, JobTypes
from modhost_background_jobs.options import BackgroundJobsOptions, WorkerMode
from modhost_background_jobs.pages import dashboard
from modhost_background_jobs.pages.live import feed, topics
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.pages.live.recurring import ScheduleTopics
from modhost_background_jobs.pages.live.types import TypeTopics
from modhost_background_jobs.pages.live.workflows import WorkflowTopics
from modhost_background_jobs.pages.queues import FlowPage
from modhost_background_jobs.pages.recurring.form import Previews
from modhost_background_jobs.pages.searches.saved import SavedSearches
from modhost_background_jobs.queries import details, ends, held_places, listing, load, logs, search
from modhost_background_jobs.queries.schedule_runs import ScheduleRuns
from modhost_background_jobs.queries.search.failures import RecentFailures
from modhost_background_jobs.queries.workflows.nodes import NodeReader
from modhost_background_jobs.queries.workflows.shape import ShapeReader
from modhost_background_jobs.queries.workflows.summaries import WorkflowReader
from modhost_background_jobs.queue import (
    firing,
    job_queue,
    limits,
    pauses,
    schedule_changes,
    schedules,
)
from modhost_background_jobs.queue.changing.deletion import JobDeletion
from modhost_background_jobs.queue.changing.due_times import DueTimes
from modhost_background_jobs.queue.workers import QuietWorkers
from modhost_background_jobs.queue.workflows.store import DatabaseWorkflows
from modhost_background_jobs.storage import (
    GuardedClock,
    JobStore,
    LaneStore,
    QueueClock,
    Turns,
    Wakeups,
    open_lane_store,
    open_store,
    open_wakeups,
)
from modhost_background_jobs.storage.clocks.shared_clock import ClockWatch, SharedClock
from modhost_background_jobs.storage.departed import DepartedWorkers
from modhost_background_jobs.storage.end_events import EndEvents
from modhost_background_jobs.storage.postgres.notifications import Notifications
from modhost_background_jobs.storage.retention import RetentionStore, open_retention
from modhost_background_jobs.storage.statistics import (
    AppVersions,
    StatisticsStore,
    TypeStatisticsStore,
)
from modhost_background_jobs.worker import executor, processor, registration, shutdown
from modhost_background_jobs.worker.attempts import context, growth, outcome, runner
from modhost_background_jobs.worker.attempts.steps.attempt_steps import StepTools
from modhost_background_jobs.worker.claiming import claim_loop, lanes
from modhost_background_jobs.worker.finishing import finisher, in_process, progress, statistics
from modhost_background_jobs.worker.processes.pool import ProcessPool
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.watching import lease_watch, loop_watch, unresponsive


def add_services(services: ServiceCollection) -> None:
    """Register everything; producers have the worker's parts too, but do not run them."""
    services.add_singleton(BackgroundJobs, scheduling.BackgroundJobsService)
    services.add_singleton(waiting.JobWaits, waiting.open_waits)
    services.add_singleton(BackgroundJobsContracts, querying.BackgroundJobsQueries)
    services.add_singleton(DurableEvents, event_jobs.EventJobs)
    services.add_singleton(EndEvents, event_jobs.EndEventJobs)
    services.add_singleton(JobStore, _job_store)
    services.add_singleton(LaneStore, open_lane_store)
    services.add_singleton(RetentionStore, open_retention)
    services.add_singleton(Wakeups, open_wakeups)
    services.add_singleton(SharedClock, SharedClock)
    services.add_singleton(QueueClock, _queue_clock)
    services.add_singleton(GuardedClock, _queue_clock)
    services.add_singleton(JobTypes, _job_types)
    services.add_singleton(context.Reports, _reports)
    services.add_singleton(growth.Growth, _growth)
    add_module_job(services, changes.ChangeManyJobs)
    _add(services, Notifications, ClockWatch)
    _add(services, StatisticsStore, TypeStatisticsStore, AppVersions, DepartedWorkers)
    _add(services, search.JobBrowser, listing.JobListing, load.QueueLoad)
    _add(services, details.JobDetailReader, logs.JobLogs, ends.JobEnds, held_places.HeldPlaces)
    _add(services, job_queue.DatabaseJobQueue, schedules.RecurringSchedules, firing.RecurringFiring)
    _add(services, DueTimes, JobDeletion)
    _add(services, pauses.Pauses, QuietWorkers, Workers, limits.Limits, limit_changes.LimitChanges)
    _add(services, new_jobs.NewJobs, DatabaseWorkflows, WorkflowReader, NodeReader, ShapeReader)
    _add(services, WorkflowInspection)
    _add(services, WorkflowGrowth)
    _add(services, schedule_changes.ScheduleChanges, run_again.Rerunning, Schedules, ScheduleRuns)
    _add(services, ScheduleEditing)
    _add(services, snapshot.Snapshots, overview.Overview, job.JobInspection, JobActions)
    _add(services, diagnosis.QueueDiagnosis, queues.Queues, LimitReader)
    _add(services, RecentFailures, TypeFigures, TypeInspection)
    _add_worker(services)
    _add(services, Sweepers, ProcessMetrics, QueueMetrics)
    _add(services, stalled_jobs.StalledJobSweeperService, stalled_jobs.BulkSweeperService)
    _add(services, recurring.RecurringJobsService, retention.RetentionService)
    _add(services, LimitKeysService, RollUpService)
    _add(services, SavedSearches)
    _add(services, changes.BulkChanges, changes.BulkRequests, BulkRunner)
    _add(
        services,
        dashboard.Dashboard,
        FlowPage,
        Fragments,
        WorkflowTopics,
        TypeTopics,
        ScheduleTopics,
        Previews,
        topics.Topics,
        feed.LiveFeed,
    )


def _add_worker(services: ServiceCollection) -> None:
    _add(services, CurrentWorker, registration.WorkerRegistration, claim_loop.ClaimLoop)
    _add(services, lanes.Lanes, Turns)
    _add(services, executor.AttemptExecutor, runner.AttemptRunner, outcome.Outcomes)
    _add(services, StepTools)
    _add(services, ProcessRunner, ProcessPool)
    _add(services, progress.ProgressBuffer, finisher.OutcomeWriter, finisher.Finisher)
    _add(services, in_process.InProcessEnds)
    _add(services, lease_watch.WorkerWatch, loop_watch.LoopWatch)
    _add(services, unresponsive.UnresponsiveAttempts, unresponsive.UnresponsiveWatch)
    _add(services, processor.JobProcessorService, shutdown.Shutdown, statistics.StatisticsService)


def _add(services: ServiceCollection, *parts: type[Any]) -> None:
    for part in parts:
        services.add_singleton(part)


def _job_store(database: Database, notifications: Notifications, events: EndEvents) -> JobStore:
    return open_store(database, notifications, events)


async def _queue_clock(shared: SharedClock, host: HostInfo, database: Database) -> SharedClock:
    if host.role == "command":
        # Other hosts compare the clocks when they start, and then again and again. What is wrong
        # with the database is reported by what the command asks of it.
        with suppress(*database.errors):
            await shared.agrees()
    return shared


def _job_types(
    registered: tuple[RegisteredJob, ...], durable: tuple[DurableSubscription, ...]
) -> JobTypes:
    # Otherwise the end of a job that gets ends would be the next one, without an end.
    get_ends = {
        each.subscriber
        for each in durable
        if any(issubclass(event, each.event) for event in END_EVENTS)
    }
    return JobTypes(registered, bulk=[changes.ChangeManyJobs], silent=get_ends)


def _growth(growing: WorkflowGrowth) -> growth.Growth:
    return growing


def _reports(buffer: progress.ProgressBuffer) -> context.Reports:
    return buffer


def hosted_services(options: BackgroundJobsOptions, host: HostInfo) -> list[type[HostedService]]:
    """Return what this host runs besides requests; the first to start are the last to stop."""
    services: list[type[HostedService]] = [
        Notifications,
        ClockWatch,
        progress.ProgressBuffer,
        BulkRunner,
    ]
    if host.role == "web":
        services.append(feed.LiveFeed)
    if options.worker_mode is not WorkerMode.CONSUMER and host.role != "worker":
        return [*services, stalled_jobs.BulkSweeperService]
    return [
        *services,
        statistics.StatisticsService,
        loop_watch.LoopWatch,
        unresponsive.UnresponsiveWatch,
        processor.JobProcessorService,
        stalled_jobs.StalledJobSweeperService,
        recurring.RecurringJobsService,
        retention.RetentionService,
        LimitKeysService,
        RollUpService,
    ]
