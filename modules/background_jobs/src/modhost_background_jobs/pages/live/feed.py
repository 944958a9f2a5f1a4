"""The live feed: polls once a second while anybody watches, and sends each viewer the changes."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import UUID

import anyio
from anyio.abc import TaskStatus

from modhost import HostedService
from modhost.failures import failures
from modhost_background_jobs.pages.live.topic import Topic
from modhost_background_jobs.pages.live.topics import Memory, Topics
from modhost_background_jobs.queries.logs import JobLogs, LogPosition, LogRow
from modhost_background_jobs.storage import Signal, wait_for

logger = logging.getLogger(__name__)

POLL: Final = "The poll for changes of pages"
POLL_INTERVAL: Final = 1.0
MAX_LINES: Final = 500
MAX_HELD_LINES: Final = 5 * MAX_LINES
"""What is kept for a browser that takes nothing; the rest is read once it does."""
# A stream ends after this long; the browser opens the next one, and shows that it still may. Who
# was logged out, or lost the permission, is notified, and sees nothing new from then on.
STREAM_SECONDS: Final = 15.0
LATE_SECONDS: Final = 3.0
"""A poll that takes longer leaves the viewers behind, and they are notified."""


class Viewer:
    """One browser that watches some topics, and the log of a job from a line on."""

    def __init__(self, topics: frozenset[Topic], job_id: UUID | None, line: int) -> None:
        self.topics = topics
        self.position = None if job_id is None else LogPosition(job_id, line)
        self.changed = Signal()
        self.is_behind = False
        self._sent: dict[str, str] = {}
        self._due: dict[str, str] = {}
        self._lines: list[LogRow] = []

    @property
    def wanted(self) -> LogPosition | None:
        """From where on the log is to be read; None if nowhere at present."""
        return None if len(self._lines) >= MAX_HELD_LINES else self.position

    def offer(self, fragments: Mapping[str, str], lines: Sequence[LogRow]) -> None:
        """Keep what this viewer has not been sent; of a fragment only the newest."""
        for name, html in fragments.items():
            if self._sent.get(name) != html:
                self._due[name] = html
        # A viewer may have read further since its position was polled.
        new = [line for line in lines if self.position and line.line > self.position.line]
        if new and self.position:
            self._lines += new
            self.position = self.position._replace(line=new[-1].line)
        if self._due or self._lines:
            self.changed.fire()

    def fall_behind(self, *, is_behind: bool) -> None:
        """Note whether what the viewer sees is not the present state."""
        if self.is_behind != is_behind:
            self.is_behind = is_behind
            self.changed.fire()

    def take(self) -> tuple[dict[str, str], list[LogRow]]:
        """Return what is to be sent."""
        due, self._due = self._due, {}
        lines, self._lines = self._lines, []
        self._sent |= due
        return due, lines


class LiveFeed(HostedService):
    """Renders what is watched: the cost is that of the topics, not of the viewers."""

    name = "live pages"

    def __init__(
        self,
        topics: Topics,
        logs: JobLogs,
        *,
        max_lines: int = MAX_LINES,
        stream_seconds: float = STREAM_SECONDS,
        late_seconds: float = LATE_SECONDS,
    ) -> None:
        self.max_lines = max_lines
        self.stream_seconds = stream_seconds
        self.late_seconds = late_seconds
        self._topics = topics
        self._logs = logs
        self._memory = Memory()
        self._viewers: set[Viewer] = set()
        self._arrived = Signal()

    @contextmanager
    def watch(self, viewer: Viewer) -> Iterator[None]:
        """Send a viewer the changes, beginning with the present state."""
        self._viewers.add(viewer)
        self._arrived.fire()
        try:
            yield
        finally:
            self._viewers.discard(viewer)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Poll while anybody watches, until cancelled."""
        task_status.started()
        while True:
            ticket = self._arrived.ticket()
            if not self._viewers:
                await ticket.wait()
                continue
            if not await self._poll_in_time():
                await anyio.sleep(POLL_INTERVAL)
            await wait_for(ticket, POLL_INTERVAL)

    async def _poll_in_time(self) -> bool:
        """Poll, and let the viewers know while it fails or takes long; return whether it worked."""
        async with anyio.create_task_group() as group:

            async def notify_if_late() -> None:
                await anyio.sleep(self.late_seconds)
                self._fall_behind(is_behind=True)

            group.start_soon(notify_if_late)
            has_worked = await self._try_to_poll()
            group.cancel_scope.cancel()
        self._fall_behind(is_behind=not has_worked)
        return has_worked

    async def _try_to_poll(self) -> bool:
        try:
            await self.poll()
        except Exception as error:  # noqa: BLE001 - whatever the driver raises, it polls again
            failures.failed(logger, POLL, error)
            return False
        failures.passed(POLL)
        return True

    def _fall_behind(self, *, is_behind: bool) -> None:
        for viewer in self._viewers:
            viewer.fall_behind(is_behind=is_behind)

    async def poll(self) -> None:
        """Poll once, and offer the viewers what changed."""
        viewers = list(self._viewers)
        topics = {topic for viewer in viewers for topic in viewer.topics}
        rendered = await self._topics.render(topics, self._memory)
        # A viewer that is behind has a position of its own, and delays no other one.
        positions = {viewer.wanted for viewer in viewers if viewer.wanted is not None}
        lines = await self._logs.after(positions, self.max_lines) if positions else {}
        for viewer in viewers:
            fragments: dict[str, str] = {}
            for topic in viewer.topics:
                fragments |= rendered.get(topic, {})
            viewer.offer(fragments, lines.get(viewer.wanted, ()) if viewer.wanted else ())
