"""The reports module: data and hooks, nothing else."""

import importlib.metadata
from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel

from modhost import (
    HostedService,
    Module,
    ModuleSettings,
    Permission,
    Scope,
    ServiceCollection,
    hookimpl,
)
from modhost.metrics import Metric, Samples
from modhost.web import Endpoints, Menu, Pages, Slots
from modhost_background_jobs.contracts import JobFailed, add_event_job, add_module_job
from modhost_reports_example.api import map_endpoints
from modhost_reports_example.contracts import ReportsContracts
from modhost_reports_example.failures import MailFailureJob
from modhost_reports_example.jobs import RECORDS, GenerateReportJob, MonthlyReportSeed, RecordCounts
from modhost_reports_example.options import ReportsOptions, ReportsSettings
from modhost_reports_example.pages import map_pages, newest_report
from modhost_reports_example.permissions import GENERATE, VIEW
from modhost_reports_example.reports import ReportsService
from modhost_reports_example.sources import Sources, UploadSweeper
from modhost_reports_example.storage import ReportStorage
from modhost_reports_example.years import CompareYearsJob, YearReportJob


class ReportsModule(Module):
    """Reports from CSV files, made by background jobs."""

    name: ClassVar[str] = "reports_example"
    version: ClassVar[str] = importlib.metadata.version("modhost-reports-example")
    route_prefix: ClassVar[str] = "/api/reports"
    view_prefix: ClassVar[str] = "/reports"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    options: ClassVar[type[BaseModel]] = ReportsOptions
    settings: ClassVar[type[ModuleSettings] | None] = ReportsSettings
    migrations: ClassVar[str] = "modhost_reports_example.migrations"
    metrics: ClassVar[tuple[Metric, ...]] = (RECORDS,)

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: ReportsOptions) -> None:
        """Register the contract, its parts, and the jobs."""
        services.add_singleton(Sources)
        services.add_singleton(ReportStorage)
        services.add_singleton(MonthlyReportSeed)
        services.add_singleton(UploadSweeper)
        services.add_singleton(RecordCounts)
        services.add_scoped(ReportsContracts, ReportsService)
        add_module_job(services, GenerateReportJob)
        add_module_job(services, YearReportJob)
        add_module_job(services, CompareYearsJob)
        if options.mail_to:
            add_event_job(services, JobFailed, MailFailureJob)

    @hookimpl
    def configure_permissions(self) -> Sequence[Permission]:
        """Declare who may see and who may request reports."""
        return [GENERATE, VIEW]

    @hookimpl
    async def collect_metrics(self, samples: Samples, scope: Scope) -> None:
        """Add how many records reports were made of."""
        (await scope.get(RecordCounts)).add(samples)

    @hookimpl
    def hosted_services(self) -> Sequence[type[HostedService]]:
        """Delete uploads that no job needs any more."""
        return [UploadSweeper]

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints, options: ReportsOptions) -> None:
        """Map the API."""
        map_endpoints(endpoints, options)

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        """Map the page."""
        map_pages(pages)

    @hookimpl
    def configure_menu(self, menu: Menu) -> None:
        """Show the page in the navigation."""
        menu.add("Reports", "/reports", VIEW, "Figures by month or year, with charts.", key="r")

    @hookimpl
    def configure_slots(self, slots: Slots) -> None:
        """Show the newest report on the start page, and the reports beside the jobs."""
        slots.card(newest_report, permission=VIEW)
        slots.tab("background_jobs", "Reports", "/reports", VIEW)

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        """Add the monthly report, once."""
        await (await scope.get(MonthlyReportSeed)).plant()
