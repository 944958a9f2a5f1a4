"""The background jobs module."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from modhost import (
    HealthReport,
    HostedService,
    HostInfo,
    Module,
    Permission,
    ProcessReport,
    Scope,
    ServiceCollection,
    hookimpl,
)
from modhost.checks import Finding
from modhost.events import Event
from modhost.metrics import Metric, Samples
from modhost.web import Endpoints, Menu, Pages, Slots
from modhost_background_jobs.api.endpoints import map_endpoints
from modhost_background_jobs.composition import add_services, hosted_services
from modhost_background_jobs.contracts.events import END_EVENTS
from modhost_background_jobs.inspection.alerts import health_problems
from modhost_background_jobs.inspection.diagnosis import QueueDiagnosis
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.metrics.declared import METRICS
from modhost_background_jobs.metrics.process import ProcessMetrics
from modhost_background_jobs.metrics.queue import QueueMetrics
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.pages.dashboard import show_state
from modhost_background_jobs.pages.routes import map_pages
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS
from modhost_background_jobs.queue.limits import Limits
from modhost_background_jobs.storage.clocks.shared_clock import SharedClock
from modhost_background_jobs.worker.processes.pool import ProcessPool
from modhost_background_jobs.worker.registration import VERSION
from modhost_background_jobs.worker.watching.loop_watch import LoopWatch
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts

if TYPE_CHECKING:
    import click


class BackgroundJobsModule(Module):
    """A durable job queue on the host's own database."""

    name: ClassVar[str] = "background_jobs"
    version: ClassVar[str] = VERSION
    route_prefix: ClassVar[str] = "/api/jobs"
    view_prefix: ClassVar[str] = "/admin/jobs"
    unconfigured: ClassVar[Mapping[str, Any]] = {"worker_mode": "Consumer"}
    options: ClassVar[type[BaseModel]] = BackgroundJobsOptions
    migrations: ClassVar[str] = "modhost_background_jobs.migrations"
    publishes: ClassVar[tuple[type[Event], ...]] = END_EVENTS
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        """Register the queue, the contracts and what a worker is made of."""
        add_services(services)

    @hookimpl
    def configure_permissions(self) -> Sequence[Permission]:
        """Declare who may view jobs and who may manage them."""
        return [VIEW_JOBS, MANAGE_JOBS]

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        """Map the API."""
        map_endpoints(endpoints)

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        """Map the admin pages."""
        map_pages(pages)

    @hookimpl
    def configure_menu(self, menu: Menu) -> None:
        """Show the dashboard in the navigation."""
        menu.add(
            "Jobs", "/admin/jobs", VIEW_JOBS, "What runs, what waits, what failed and why.", key="j"
        )

    @hookimpl
    def configure_slots(self, slots: Slots) -> None:
        """Show the state of the queue on the start page."""
        slots.card(show_state, permission=VIEW_JOBS, order=-1)

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        """Compare the clocks, by which other modules compute due times, and store the limits."""
        await (await scope.get(SharedClock)).agrees()
        await (await scope.get(Limits)).register()

    @hookimpl
    async def check_health(self, scope: Scope) -> HealthReport:
        """Be degraded while jobs wait for no worker, block the event loop, or ignore a request."""
        troubles = list(health_problems(await (await scope.get(Snapshots)).take()))
        troubles += (await scope.get(SharedClock)).troubles()
        troubles += (await scope.get(UnresponsiveAttempts)).troubles()
        troubles += (await scope.get(LoopWatch)).troubles()
        troubles += (await scope.get(ProcessPool)).troubles()
        return HealthReport("degraded" if troubles else "healthy", " ".join(troubles))

    @hookimpl
    async def collect_metrics(self, samples: Samples, scope: Scope) -> None:
        """Add what this process has counted, then what waits and runs in the database."""
        (await scope.get(ProcessMetrics)).add(samples)
        await (await scope.get(QueueMetrics)).add(samples)

    @hookimpl
    async def diagnose(self, scope: Scope) -> Sequence[Finding]:
        """Name the schedules and jobs that nobody could run."""
        return await (await scope.get(QueueDiagnosis)).findings()

    @hookimpl
    async def report_processes(self, scope: Scope) -> Sequence[ProcessReport]:
        """Name the workers with their load."""
        return [each.report for each in (await (await scope.get(Snapshots)).take()).workers]

    @hookimpl
    def register_commands(self, cli: "click.Group") -> None:
        """Add `modhost jobs`."""
        # Only the command line has commands.
        from modhost_background_jobs.cli.jobs import jobs

        cli.add_command(jobs)

    @hookimpl
    def hosted_services(
        self, options: BackgroundJobsOptions, host: HostInfo
    ) -> Sequence[type[HostedService]]:
        """Flush progress and run bulk changes in every host; process jobs in consumers."""
        return hosted_services(options, host)
