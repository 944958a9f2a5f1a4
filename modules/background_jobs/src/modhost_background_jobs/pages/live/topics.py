"""How what is watched is rendered: once for everybody who watches it."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import anyio
import anyio.lowlevel

from modhost_background_jobs.inspection.job import InspectedJob, JobInspection
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.pages.dashboard import Dashboard
from modhost_background_jobs.pages.job import job_context
from modhost_background_jobs.pages.job_list import NEWEST
from modhost_background_jobs.pages.live.fragments import Fragments, Html
from modhost_background_jobs.pages.live.recurring import ScheduleTopics
from modhost_background_jobs.pages.live.topic import Kind, Topic
from modhost_background_jobs.pages.live.types import TypeTopics
from modhost_background_jobs.pages.live.workflows import WorkflowTopics
from modhost_background_jobs.pages.queues import FlowPage
from modhost_background_jobs.pages.workers.views import ROWS, workers_context
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.search import JobBrowser
from modhost_background_jobs.queries.search.job_search import JobSearch

LIST_INTERVAL: Final = 2.0
QUEUES_INTERVAL: Final = 3.0
"""For counts of all queues, types and limits."""
CHARTS: Final = ("live_history", "live_figures")
CHARTS_INTERVAL: Final = 10.0
"""For charts, whose bars are of a minute and longer."""
SEARCH_INTERVAL: Final = 15.0
"""For a search for words, which have no index."""


class Memory:
    """What was rendered last, and from what: the same is neither read nor rendered again."""

    def __init__(self) -> None:
        self.rendered: dict[Topic, tuple[object, Html]] = {}

    def jobs(self) -> dict[UUID, InspectedJob]:
        """Return the jobs as they were."""
        sources = (source for source, _ in self.rendered.values())
        return {job.row.id: job for job in sources if isinstance(job, InspectedJob)}


class Topics:
    """Renders the live fragments of topics."""

    def __init__(
        self,
        dashboard: Dashboard,
        snapshots: Snapshots,
        listing: JobListing,
        browser: JobBrowser,
        schedules: ScheduleTopics,
        inspection: JobInspection,
        flow: FlowPage,
        workflows: WorkflowTopics,
        types: TypeTopics,
        load: QueueLoad,
        fragments: Fragments,
        *,
        list_interval: float = LIST_INTERVAL,
        charts_interval: float = CHARTS_INTERVAL,
    ) -> None:
        self.list_interval = list_interval
        self.charts_interval = charts_interval
        self._dashboard = dashboard
        self._snapshots = snapshots
        self._listing = listing
        self._browser = browser
        self._schedules = schedules
        self._inspection = inspection
        self._flow = flow
        self._workflows = workflows
        self._types = types
        self._load = load
        self._fragments = fragments

    async def render(self, topics: Collection[Topic], memory: Memory) -> dict[Topic, Html]:
        """Return the fragments of each topic; a deleted job has none."""
        of: dict[Kind, list[Topic]] = {topic.kind: [] for topic in topics}
        for topic in topics:
            of[topic.kind].append(topic)
        jobs = memory.jobs()
        before, memory.rendered = memory.rendered, {}
        rendered = await self._rows(of.get("row", ()))
        if "job" in of:
            await self._jobs(of["job"], jobs, before, memory)
        for topic in of.get("newest", ()):
            memory.rendered[topic] = await self._newest(topic, before.get(topic))
        for topic in of.get("queues", ()):
            memory.rendered[topic] = await self._queues(topic, before.get(topic))
        for topic in (*of.get("workflows", ()), *of.get("workflow", ())):
            found = await self._workflows.render(topic, before.get(topic))
            if found is not None:
                memory.rendered[topic] = found
        for topic in (*of.get("recurring", ()), *of.get("schedule", ())):
            found = await self._schedules.render(topic, before.get(topic))
            if found is not None:
                memory.rendered[topic] = found
        for topic in (*of.get("types", ()), *of.get("type", ())):
            found = await self._types.render(topic, before.get(topic))
            if found is not None:
                memory.rendered[topic] = found
        if "dashboard" in of or "workers" in of:
            snapshot = await self._snapshots.take()
            departures = await self._load.departures(ROWS if "workers" in of else 0)
            for topic in of.get("dashboard", ()):
                context = await self._dashboard.context(topic.span, snapshot, departures)
                html = self._fragments.render("dashboard.html", context)
                memory.rendered[topic] = self._with_charts(html, before.get(topic))
            for topic in of.get("workers", ()):
                context = workers_context(snapshot, departures, may_manage=topic.may_manage)
                rendered[topic] = self._fragments.render("workers/list.html", context)
        return rendered | {topic: html for topic, (_, html) in memory.rendered.items()}

    async def _rows(self, topics: Sequence[Topic]) -> dict[Topic, Html]:
        of_job = {topic.job_id: topic for topic in topics if topic.job_id}
        rows = await self._listing.by_ids([id_ for id_ in of_job if id_]) if of_job else []
        return {
            of_job[row.id]: self._fragments.render("row.html", {"row": row}, f"-{row.id}")
            for row in rows
        }

    async def _jobs(
        self,
        topics: Sequence[Topic],
        known: dict[UUID, InspectedJob],
        before: dict[Topic, tuple[object, Html]],
        memory: Memory,
    ) -> None:
        ids = {topic.job_id for topic in topics if topic.job_id}
        jobs = await self._inspection.follow(ids, known)
        for topic in topics:
            if topic.job_id is not None and (job := jobs.get(topic.job_id)) is not None:
                # Others get their turn between two pages that are rendered.
                await anyio.lowlevel.checkpoint()
                context = job_context(job, may_manage=topic.may_manage)
                self._remember(memory, before, topic, job, "job.html", context)

    async def _newest(self, topic: Topic, known: tuple[object, Html] | None) -> tuple[object, Html]:
        search = JobSearch.of_query(topic.search)
        now = anyio.current_time()
        interval = SEARCH_INTERVAL if search.q else self.list_interval
        if known is not None and isinstance(known[0], float) and now - known[0] < interval:
            return known
        rows = (await self._browser.older(search.as_search(), None, NEWEST)).rows
        context = {"newest_ids": [row.id for row in rows]}
        return now, self._fragments.render("list.html", context)

    async def _queues(self, topic: Topic, known: tuple[object, Html] | None) -> tuple[object, Html]:
        now = anyio.current_time()
        if known is not None and isinstance(known[0], float) and now - known[0] < QUEUES_INTERVAL:
            return known
        context = await self._flow.context(may_manage=topic.may_manage)
        return now, self._fragments.render("flow/queues.html", context)

    def _with_charts(self, html: Html, known: tuple[object, Html] | None) -> tuple[object, Html]:
        """Keep the charts for a while: with every job that ends they are other ones, and long."""
        now = anyio.current_time()
        if known is None or not isinstance(known[0], float) or known[0] < now:
            return now + self.charts_interval, html
        return known[0], html | {name: known[1][name] for name in CHARTS}

    def _remember(
        self,
        memory: Memory,
        before: dict[Topic, tuple[object, Html]],
        topic: Topic,
        source: object,
        template: str,
        context: dict[str, object],
    ) -> None:
        """Render a topic unless it was rendered from the same."""
        known = before.get(topic)
        if known is None or known[0] != source:
            known = (source, self._fragments.render(template, context))
        memory.rendered[topic] = known
