"""What is live of lists: the schedules, and which jobs of a search are the newest."""

from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qsl

import anyio

from modhost_background_jobs.pages.job_list import ROWS
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.pages.live.topic import Memory, Topic
from modhost_background_jobs.pages.recurring import schedules_context
from modhost_background_jobs.services.browsing import Browsing
from modhost_background_jobs.services.schedules import Schedules, ScheduleView
from modhost_background_jobs.services.searching import JobSearch

LOOK_SECONDS: Final = 2.0
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
        lasts = SEARCH_SECONDS if search.q else LOOK_SECONDS
        if known is not None and isinstance(known[0], float) and now - known[0] < lasts:
            return known
        rows = (await self._browsing.page(search, limit=ROWS)).rows
        context = {"newest_ids": [row["id"] for row in rows]}
        return now, self._fragments.render("list.html", context)


def search_of(query: str) -> JobSearch:
    """Return the search of a query string. Raises `ValueError`."""
    return JobSearch.model_validate(dict(parse_qsl(query)))
