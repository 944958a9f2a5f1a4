"""The live parts of the pages of recurring jobs."""

from typing import Final, NamedTuple

import anyio

from modhost_background_jobs.contracts import JobNotFound, RecurringJobId
from modhost_background_jobs.inspection.schedules import ScheduleLine, Schedules
from modhost_background_jobs.pages.live.fragments import Fragments, Html
from modhost_background_jobs.pages.live.topic import Topic
from modhost_background_jobs.pages.recurring.details import schedule_context
from modhost_background_jobs.pages.recurring.list import schedules_context, watched_schedules

INTERVAL: Final = 2.0


class Seen(NamedTuple):
    """What was read, and until when that is new enough."""

    until: float
    source: object


class ScheduleTopics:
    """Renders the list of recurring jobs, and single ones."""

    def __init__(
        self, schedules: Schedules, fragments: Fragments, *, interval: float = INTERVAL
    ) -> None:
        self.interval = interval
        self._schedules = schedules
        self._fragments = fragments
        self._read_until = 0.0
        self._lines: list[ScheduleLine] = []

    async def render(
        self, topic: Topic, known: tuple[object, Html] | None
    ) -> tuple[object, Html] | None:
        """Return what a topic shows, and from what; None for a schedule that is gone."""
        now = anyio.current_time()
        seen = known[0] if known is not None and isinstance(known[0], Seen) else None
        if seen is not None and now < seen.until:
            return known
        until = now + self.interval
        if topic.job_id is None:
            lines = await self._all(now)
            until = self._read_until
            if known is not None and seen is not None and seen.source == lines:
                return Seen(until, lines), known[1]
            query = watched_schedules(topic.search)
            context = schedules_context(lines, query, may_manage=topic.may_manage)
            return Seen(until, lines), self._fragments.render("recurring/list.html", context)
        try:
            found = await self._schedules.outlook(RecurringJobId(topic.job_id))
        except JobNotFound:
            return None
        if known is not None and seen is not None and seen.source == found:
            return Seen(until, found), known[1]
        context = schedule_context(found, may_manage=topic.may_manage)
        return Seen(until, found), self._fragments.render("recurring/details.html", context)

    async def _all(self, now: float) -> list[ScheduleLine]:
        """Read the lines for all viewers, whatever they search for."""
        if now >= self._read_until:
            self._lines = await self._schedules.all()
            self._read_until = now + self.interval
        return self._lines
