"""Two installations that have every page: the shop of the demo, and an empty one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, NoReturn

from sqlalchemy.exc import TimeoutError as NoConnection

from benchmarks.demo import jobs
from benchmarks.demo.hosting import configured
from benchmarks.demo.jobs import Batch, Order
from hosts import host_with, jobs_of
from modhost import Module, hookimpl
from modhost.caller import ActingFor, Caller
from modhost.identity import TokenService
from modhost.permissions import ANYONE
from modhost.testing import running_host
from modhost.web import Pages
from modhost_background_jobs.client.limit_changes import LimitChanges
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_reports_example.contracts import ReportRequest, ReportsContracts, ReportType
from modhost_reports_example.module import ReportsModule
from pages.browser.shop import Shop, shop
from pages.gallery.paths import paths_of_empty, paths_of_shop
from pages.site import Site, served_on_a_port

VIEWER = "vera"
VERA = Caller("user", "user:1", VIEWER)
PAUSED_BECAUSE = "The disk of the warehouse is nearly full; the new one comes today"


@dataclass(frozen=True)
class Gallery:
    """An installation, and the paths of its pages by a name for each."""

    served: Site
    paths: Mapping[str, str]
    has_states: bool = True


class FaultyModule(Module):
    """Has pages that fail."""

    name: ClassVar[str] = "faulty"
    view_prefix: ClassVar[str] = "/faulty"

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        pages.get("/away", _without_database, permission=ANYONE)
        pages.get("/broken", _broken, permission=ANYONE)


async def _without_database() -> NoReturn:
    msg = "All connections are lent."
    raise NoConnection(msg)


async def _broken() -> NoReturn:
    msg = "broken"
    raise RuntimeError(msg)


@asynccontextmanager
async def shop_gallery(database_url: str) -> AsyncIterator[Gallery]:
    """Serve the shop, with something to see on pages that its demo leaves empty."""
    await _make_reports(database_url)
    async with shop(database_url, modules=[ReportsModule(), FaultyModule()]) as served:
        await served.add_user(VIEWER, "Viewer")
        await _leave_traces(served)
        workflow = await _start_workflow(served)
        yield Gallery(served, await paths_of_shop(served, workflow))


@asynccontextmanager
async def empty_gallery(database_url: str) -> AsyncIterator[Gallery]:
    """Serve an installation that has just been made."""
    modules = [BackgroundJobsModule(), ReportsModule()]
    async with running_host(modules, config=configured(database_url)) as host:
        async with served_on_a_port(await jobs_of(host)) as served:
            yield Gallery(served, paths_of_empty(), has_states=False)


async def _make_reports(database_url: str) -> None:
    """Make them before there is a worker that runs newsletters alone."""
    options = {"worker_mode": "Consumer", "shutdown_grace": "1s"}
    async with host_with(database_url, ReportsModule(), background_jobs=options) as hosted:
        reports = await hosted.service(ReportsContracts)
        for type_ in ReportType:
            made = await reports.request(ReportRequest(type=type_, source="seattle-weather"))
            await hosted.reaches(made, JobState.COMPLETED)


async def _leave_traces(served: Shop) -> None:
    reports = await served.service(ReportsContracts)
    tokens = await served.service(TokenService)
    limits = await served.service(LimitChanges)
    await reports.request(ReportRequest(type=ReportType.YEARLY, source="seattle-weather"))
    await tokens.create("Grafana", ["BackgroundJobs.ViewJobs"], expires=timedelta(days=90))
    with ActingFor(VERA):
        await limits.set("warehouse/api", 60)
        until = datetime.now(UTC) + timedelta(hours=4)
        await served.scheduling.pause_queue("partners", until=until, reason=PAUSED_BECAUSE)


async def _start_workflow(served: Shop) -> str:
    """Start one whose first jobs run, and the others wait for them."""
    order = Order(customer="C-10172", order=512_204)
    async with served.scheduling.workflow("Campaign of the first of Advent") as workflow:
        feeds = [
            workflow.add(jobs.ImportSupplierFeed, Batch(source=each))
            for each in ("alder", "birch", "cedar")
        ]
        mail = workflow.add(jobs.SendNewsletter, order)
        prices = workflow.add(jobs.RecalculatePrices, Batch(source="Austria"), after=feeds)
        workflow.add(jobs.UpdateSearchIndex, Batch(source="*"), after=[prices, mail])
        workflow.add(jobs.CleanUpCarts, Batch(source="carts"), after=prices, when="failed")
    return str(workflow.id)
