"""What somebody watches, and what was told of it at the last look."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl
from uuid import UUID

import anyio
import anyio.lowlevel

from modhost_background_jobs.monitoring.inspection import InspectedJob, JobInspection
from modhost_background_jobs.monitoring.overview import Overview, Span
from modhost_background_jobs.monitoring.schedules import Schedules, ScheduleView
from modhost_background_jobs.monitoring.snapshot import Snapshot
from modhost_background_jobs.pages.dashboard import Dashboard
from modhost_background_jobs.pages.job import job_context
from modhost_background_jobs.pages.job_list import ROWS
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.pages.recurring import schedules_context
from modhost_background_jobs.queries.job_search import Browsing, JobSearch

Kind = Literal["dashboard", "workers", "recurring", "job", "row", "newest"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A page, or a job on a page; `may_manage` for those who get to see its buttons.

    `search` is the query string of the list whose newest jobs are told.
    """

    kind: Kind
    span: Span = "hour"
    job_id: UUID | None = None
    may_manage: bool = False
    search: str = ""


class Memory:
    """What was shown at the last look: what is the same is neither read nor drawn again."""

    def __init__(self) -> None:
        self.drawn: dict[Topic, tuple[InspectedJob, dict[str, str]]] = {}
        self.lists: dict[Topic, tuple[object, dict[str, str]]] = {}
        """By the schedules that were there, or by the time of the look at the newest jobs."""

    def jobs(self) -> dict[UUID, InspectedJob]:
        """Return the jobs as they were."""
        return {job.row["id"]: job for job, _ in self.drawn.values()}


POLL_INTERVAL: Final = 2.0
SEARCH_SECONDS: Final = 15.0
"""Between two looks for words, which have no index."""

Drawn = tuple[object, dict[str, str]]


class LiveLists:
    """Looks lists up: once for all who watch the same."""

    def __init__(self, schedules: Schedules, browsing: Browsing, fragments: Fragments) -> None:
        self._schedules = schedules
        self._browsing = browsing
        self._fragments = fragments

    async def render(
        self, topics: Collection[Topic], memory: Memory
    ) -> dict[Topic, dict[str, str]]:
        """Return the fragments of the topics that are lists."""
        before, memory.lists = memory.lists, {}
        recurring = [topic for topic in topics if topic.kind == "recurring"]
        views = await self._schedules.all() if recurring else []
        for topic in recurring:
            memory.lists[topic] = self._recurring(topic, views, before.get(topic))
        for topic in topics:
            if topic.kind == "newest":
                memory.lists[topic] = await self._newest(topic, before.get(topic))
        return {topic: drawn for topic, (_, drawn) in memory.lists.items()}

    def _recurring(self, topic: Topic, views: list[ScheduleView], known: Drawn | None) -> Drawn:
        if known is not None and known[0] == views:
            return known
        context = schedules_context(views, may_manage=topic.may_manage)
        return views, self._fragments.render("recurring.html", context)

    async def _newest(self, topic: Topic, known: Drawn | None) -> Drawn:
        search = search_of(topic.search)
        now = anyio.current_time()
        lasts = SEARCH_SECONDS if search.q else POLL_INTERVAL
        if known is not None and isinstance(known[0], float) and now - known[0] < lasts:
            return known
        rows = (await self._browsing.page(search, limit=ROWS)).rows
        context = {"newest_ids": [row["id"] for row in rows]}
        return now, self._fragments.render("list.html", context)


def search_of(query: str) -> JobSearch:
    """Return the search of a query string. Raises `ValueError`."""
    return JobSearch.model_validate(dict(parse_qsl(query)))


class Topics:
    """Renders the live fragments of topics."""

    def __init__(
        self,
        dashboard: Dashboard,
        overview: Overview,
        browsing: Browsing,
        inspection: JobInspection,
        lists: LiveLists,
        fragments: Fragments,
    ) -> None:
        self._dashboard = dashboard
        self._overview = overview
        self._browsing = browsing
        self._inspection = inspection
        self._lists = lists
        self._fragments = fragments

    async def render(
        self, topics: Collection[Topic], memory: Memory
    ) -> dict[Topic, dict[str, str]]:
        """Return the fragments of each topic; a job that is gone has none."""
        rendered = await self._rows([topic for topic in topics if topic.kind == "row"])
        rendered |= await self._lists.render(topics, memory)
        if len(rendered) == len(topics):
            return rendered
        snapshot = await self._overview.look()
        jobs = [topic for topic in topics if topic.kind == "job"]
        rendered |= await self._jobs(jobs, snapshot, memory)
        for topic in topics:
            if topic.kind == "dashboard":
                context = await self._dashboard.context(topic.span, snapshot)
                rendered[topic] = self._fragments.render("dashboard.html", context)
            elif topic.kind == "workers":
                workers = {"workers": snapshot.workers}
                rendered[topic] = self._fragments.render("workers.html", workers)
        return rendered

    async def _rows(self, topics: Sequence[Topic]) -> dict[Topic, dict[str, str]]:
        of_job = {topic.job_id: topic for topic in topics}
        rows = await self._browsing.by_ids([id_ for id_ in of_job if id_]) if topics else []
        return {
            of_job[row["id"]]: self._fragments.render("row.html", {"row": row}, f"-{row['id']}")
            for row in rows
        }

    async def _jobs(
        self, topics: Sequence[Topic], snapshot: Snapshot, memory: Memory
    ) -> dict[Topic, dict[str, str]]:
        ids = {topic.job_id for topic in topics if topic.job_id}
        jobs = await self._inspection.look(ids, snapshot, memory.jobs()) if ids else {}
        before, memory.drawn = memory.drawn, {}
        for topic in topics:
            job = jobs.get(topic.job_id) if topic.job_id else None
            if job is None:
                continue
            known = before.get(topic)
            if known is None or known[0] != job:
                # Others get their turn between two pages that are drawn.
                await anyio.lowlevel.checkpoint()
                context = job_context(job, may_manage=topic.may_manage)
                known = (job, self._fragments.render("job.html", context))
            memory.drawn[topic] = known
        return {topic: drawn for topic, (_, drawn) in memory.drawn.items()}
