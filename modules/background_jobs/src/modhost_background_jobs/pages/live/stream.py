"""Changes of pages: sent as server-sent events, or once as JSON to those who poll."""

import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC
from typing import Any, Final, Literal
from urllib.parse import urlencode
from uuid import UUID

import anyio
from pydantic import BaseModel, Field, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from modhost import Principal
from modhost.database.failures import may_pass
from modhost.runtime.shutdown import ShutdownSignal
from modhost.web import Query, principal_now
from modhost_background_jobs.contracts import WorkflowState
from modhost_background_jobs.inspection.overview import Span
from modhost_background_jobs.pages.live.feed import LiveFeed, Viewer
from modhost_background_jobs.pages.live.topic import Kind, Topic
from modhost_background_jobs.pages.live.topics import Memory, Topics
from modhost_background_jobs.pages.recurring.list import watched_schedules
from modhost_background_jobs.pages.types import watched_of
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS
from modhost_background_jobs.queries.logs import JobLogs, LogRow
from modhost_background_jobs.queries.search.job_search import JobSearch

KEEP_ALIVE_SECONDS: Final = 15.0
GZIP: Final = 16
WINDOW_BITS: Final = 15
MEMORY_LEVEL: Final = 8
"""256 kB for each viewer: a smaller window does not reach back to the charts of a second ago."""
# The line's key in the database is a number of 64 bits.
GREATEST_LINE: Final = 2**63 - 1


class WatchQuery(BaseModel):
    """What to watch; `line` is the last line of the log that is on the page.

    With `newest` the newest jobs of `search`, the query string of a list, are watched too.
    `workflow_state` is that of the workflows of a list. `types` is the query string of a list of
    job types, or says which type is watched; `schedules` is that of a list of recurring jobs.
    """

    watch: Kind
    span: Span = "hour"
    id: list[UUID] = Field(default_factory=list, max_length=200)
    line: int = Field(default=-1, ge=-1, le=GREATEST_LINE)
    newest: bool = False
    search: str = Field(default="", max_length=1000)
    workflow_state: WorkflowState | Literal[""] = ""
    types: str = Field(default="", max_length=3000)
    schedules: str = Field(default="", max_length=3000)
    poll: bool = False

    @field_validator("schedules")
    @classmethod
    def _one_list(cls, schedules: str) -> str:
        return watched_schedules(schedules).watched

    @field_validator("types")
    @classmethod
    def _can_be_read(cls, types: str) -> str:
        watched_of(types)
        return types

    @field_validator("search")
    @classmethod
    def _one_spelling(cls, search: str) -> str:
        return urlencode(JobSearch.of_query(search).as_query())


async def send_changes(
    request: Request,
    query: Query[WatchQuery],
    feed: LiveFeed,
    topics: Topics,
    logs: JobLogs,
    shutdown: ShutdownSignal,
    visitor: Principal,
) -> Response:
    """Send the fragments of a page as they change, and the lines that a job logs."""
    viewer = _viewer(query, request.headers.get("last-event-id", ""), visitor)
    if not query.poll:
        events = _events(viewer, feed, shutdown, request)
        return _streamed(events, request.headers.get("accept-encoding", ""))
    rendered = await topics.render(viewer.topics, Memory())
    positions = [viewer.position] if viewer.position else []
    found = await logs.after(positions, feed.max_lines) if positions else {}
    lines = [line for rows in found.values() for line in rows]
    fragments = {name: html for each in rendered.values() for name, html in each.items()}
    return JSONResponse({"fragments": fragments, "log": [_line(line) for line in lines]})


def _streamed(events: AsyncGenerator[str], accepted: str) -> Response:
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" not in accepted:
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)
    headers["Content-Encoding"] = "gzip"
    return StreamingResponse(_packed(events), media_type="text/event-stream", headers=headers)


async def _packed(events: AsyncGenerator[str]) -> AsyncIterator[bytes]:
    """Compress events, each so that it can be read at once; most repeat the one before."""
    packer = zlib.compressobj(wbits=GZIP + WINDOW_BITS, memLevel=MEMORY_LEVEL)
    async with aclosing(events):
        async for event in events:
            yield packer.compress(event.encode()) + packer.flush(zlib.Z_SYNC_FLUSH)
    yield packer.flush()


def _viewer(query: WatchQuery, last_event_id: str, visitor: Principal) -> Viewer:
    if query.watch == "row":
        topics = {Topic("row", job_id=id_) for id_ in query.id}
        if query.newest:
            topics.add(Topic("newest", search=query.search))
        return Viewer(frozenset(topics), None, -1)
    if query.watch in ("queues", "workers"):
        topic = Topic(query.watch, may_manage=visitor.may(MANAGE_JOBS))
        return Viewer(frozenset([topic]), None, -1)
    if query.watch == "recurring":
        topic = Topic("recurring", may_manage=visitor.may(MANAGE_JOBS), search=query.schedules)
        return Viewer(frozenset([topic]), None, -1)
    if query.watch == "job" and query.id:
        topic = Topic("job", job_id=query.id[0], may_manage=visitor.may(MANAGE_JOBS))
        return Viewer(frozenset([topic]), query.id[0], _line_of(last_event_id, query.line))
    if query.watch in ("workflow", "schedule") and query.id:
        topic = Topic(query.watch, job_id=query.id[0], may_manage=visitor.may(MANAGE_JOBS))
        return Viewer(frozenset([topic]), None, -1)
    if query.watch in ("types", "type"):
        topic = Topic(query.watch, may_manage=visitor.may(MANAGE_JOBS), search=query.types)
        return Viewer(frozenset([topic]), None, -1)
    if query.watch == "workflows":
        return Viewer(frozenset([Topic("workflows", search=query.workflow_state)]), None, -1)
    return Viewer(frozenset([Topic(query.watch, query.span)]), None, -1)


def _line_of(last_event_id: str, otherwise: int) -> int:
    """Return the line that a browser has seen; an id that no stream has sent is ignored."""
    is_line = last_event_id.isdecimal() and len(last_event_id) <= len(str(GREATEST_LINE))
    return min(int(last_event_id), GREATEST_LINE) if is_line else otherwise


async def _events(
    viewer: Viewer, feed: LiveFeed, shutdown: ShutdownSignal, request: Request
) -> AsyncGenerator[str]:
    end = anyio.current_time() + feed.stream_seconds
    with feed.watch(viewer):
        # Where an event cannot get through, the browser sees no answer, and polls.
        yield "retry: 500\n\n"
        is_behind = False
        while not shutdown.has_begun and anyio.current_time() < end:
            ticket = viewer.changed.ticket()
            fragments, lines = viewer.take()
            if viewer.is_behind != is_behind:
                is_behind = viewer.is_behind
                yield f"event: {'behind' if is_behind else 'fragments'}\ndata: {{}}\n\n"
            if lines:
                log = json.dumps([_line(line) for line in lines])
                yield f"id: {lines[-1].line}\nevent: log\ndata: {log}\n\n"
            if fragments:
                yield f"event: fragments\ndata: {json.dumps(fragments)}\n\n"
            if not lines and not fragments:
                yield ": still here\n\n"
            await _change_or_end(ticket, shutdown, end)
    if not shutdown.has_begun and not await _may_still_watch(request):
        yield "event: bye\ndata: {}\n\n"


async def _may_still_watch(request: Request) -> bool:
    try:
        visitor = await principal_now(request)
    except Exception as error:
        if not may_pass(error):
            raise
        return True  # The database is away: the browser's next request is the one to refuse.
    return visitor is not None and visitor.may(VIEW_JOBS)


async def _change_or_end(ticket: anyio.Event, shutdown: ShutdownSignal, end: float) -> None:
    async with anyio.create_task_group() as group:

        async def wait_for_end() -> None:
            await shutdown.wait()
            group.cancel_scope.cancel()

        group.start_soon(wait_for_end)
        with anyio.move_on_after(min(KEEP_ALIVE_SECONDS, end - anyio.current_time())):
            await ticket.wait()
        group.cancel_scope.cancel()


def _line(row: LogRow) -> dict[str, Any]:
    moment = row.logged_at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    return {"line": row.line, "at": moment, "message": row.shown}
