"""The live parts of the pages of job types."""

from typing import Final

import anyio

from modhost_background_jobs.inspection.queues import UnknownJobType
from modhost_background_jobs.inspection.types.view import TypeInspection
from modhost_background_jobs.pages.live.fragments import Fragments, Html
from modhost_background_jobs.pages.live.topic import Topic
from modhost_background_jobs.pages.types import (
    TypesQuery,
    type_context,
    types_context,
    watched_of,
)

INTERVALS: Final = {"hour": 5.0, "day": 5.0, "week": 15.0, "quarter": 30.0}
"""The longer a span, the more is read of it, and the less it changes."""


class TypeTopics:
    """Renders the list of job types, and single ones."""

    def __init__(self, types: TypeInspection, fragments: Fragments) -> None:
        self._types = types
        self._fragments = fragments

    async def render(
        self, topic: Topic, known: tuple[object, Html] | None
    ) -> tuple[object, Html] | None:
        """Return what a topic shows, and when it was read; None for a type that is gone."""
        now = anyio.current_time()
        watched = watched_of(topic.search)
        interval = INTERVALS[watched.span]
        if known is not None and isinstance(known[0], float) and now - known[0] < interval:
            return known
        if isinstance(watched, TypesQuery):
            lines = await self._types.all(watched.span, watched.sort, watched.q)
            context = types_context(lines, watched)
            return now, self._fragments.render("types/list.html", context)
        try:
            found = await self._types.one(watched.job_type, watched.span)
        except UnknownJobType:
            return None
        context = type_context(found, watched.span, may_manage=topic.may_manage)
        return now, self._fragments.render("types/type.html", context)
