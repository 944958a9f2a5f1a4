"""What can be watched, and how it is looked up: once for all who watch it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from modhost_background_jobs.contracts import JobNotFound
from modhost_background_jobs.pages.dashboard import Dashboard
from modhost_background_jobs.pages.job import job_context
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.services.browsing import Browsing
from modhost_background_jobs.services.inspection import JobInspection
from modhost_background_jobs.services.overview import Overview, Span

Kind = Literal["dashboard", "workers", "job", "row"]


@dataclass(frozen=True, slots=True)
class Topic:
    """A page, or a job on a page; `may_manage` for those who get to see its buttons."""

    kind: Kind
    span: Span = "hour"
    job_id: UUID | None = None
    may_manage: bool = False


class Topics:
    """Renders the live fragments of topics."""

    def __init__(
        self,
        dashboard: Dashboard,
        overview: Overview,
        browsing: Browsing,
        inspection: JobInspection,
        fragments: Fragments,
    ) -> None:
        self._dashboard = dashboard
        self._overview = overview
        self._browsing = browsing
        self._inspection = inspection
        self._fragments = fragments

    async def render(self, topics: Collection[Topic]) -> dict[Topic, dict[str, str]]:
        """Return the fragments of each topic; a job that is gone has none."""
        rows = {topic.job_id: topic for topic in topics if topic.kind == "row"}
        rendered = await self._rows(rows)
        for topic in topics:
            if topic.kind != "row":
                rendered[topic] = await self._one(topic)
        return rendered

    async def _rows(self, topics: dict[UUID | None, Topic]) -> dict[Topic, dict[str, str]]:
        ids = [id_ for id_ in topics if id_ is not None]
        rows = await self._browsing.by_ids(ids) if ids else []
        return {
            topics[row["id"]]: self._fragments.render("row.html", {"row": row}, f"-{row['id']}")
            for row in rows
        }

    async def _one(self, topic: Topic) -> dict[str, str]:
        if topic.kind == "dashboard":
            context = await self._dashboard.context(topic.span)
            return self._fragments.render("dashboard.html", context)
        if topic.kind == "workers":
            workers = await self._overview.workers()
            return self._fragments.render("workers.html", {"workers": workers})
        try:
            job = await self._inspection.inspect(topic.job_id or UUID(int=0))
        except JobNotFound:
            return {}
        return self._fragments.render("job.html", job_context(job, may_manage=topic.may_manage))
