"""What can be watched, and how it is looked up: once for all who watch it."""

from collections.abc import Collection, Sequence

import anyio.lowlevel

from modhost_background_jobs.pages.dashboard import Dashboard
from modhost_background_jobs.pages.job import job_context
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.pages.live.lists import LiveLists
from modhost_background_jobs.pages.live.topic import Memory, Topic
from modhost_background_jobs.services.browsing import Browsing
from modhost_background_jobs.services.inspection import JobInspection
from modhost_background_jobs.services.overview import Overview
from modhost_background_jobs.services.snapshot import Snapshot


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
