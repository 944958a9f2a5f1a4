"""The live streams as tests read them, and what they cost."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
from sqlalchemy import Engine, event

from modhost_background_jobs.pages.live.feed import LiveFeed
from modhost_background_jobs.pages.live.topics import Topics
from modhost_background_jobs.queries.logs import JobLogs
from pages.site import Site

Event = tuple[str, str, Any]


@asynccontextmanager
async def events(
    served: Site, query: str, last_event_id: str | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    """Open a stream over a real connection."""
    headers = {"Authorization": f"Bearer {await served.host.token('BackgroundJobs.*')}"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    async with httpx2.AsyncClient(base_url=served.url, headers=headers, timeout=30) as client:
        async with client.stream("GET", f"/admin/jobs/events?{query}") as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["content-encoding"] == "gzip"
            yield _events(answer)


async def _events(answer: httpx2.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"])
        fields = {}


@asynccontextmanager
async def counted(served: Site) -> AsyncIterator[tuple[LiveFeed, list[str]]]:
    """Give a feed of its own, and what is asked of the database in this task."""
    task = anyio.get_current_task().id
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # The host's own services read the database meanwhile.
        if anyio.get_current_task().id == task and statement != "BEGIN":
            sent.append(statement)

    async with served.host.scope() as scope:
        feed = LiveFeed(await scope.get(Topics), await scope.get(JobLogs))
        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield feed, sent
        finally:
            event.remove(Engine, "before_cursor_execute", note)
