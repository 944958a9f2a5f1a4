"""Report what blocks the event loop: the job, for how long, and where in its code."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost import Clock, HostedService
from modhost.database import Database
from modhost.failures import describe
from modhost.telemetry import LoggedIn
from modhost_background_jobs.model import CurrentWorker, Lease, LogLine
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import open_store
from modhost_background_jobs.worker.attempts.error_text import printable
from modhost_background_jobs.worker.attempts.runner import attempt_in
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer

logger = logging.getLogger(__name__)

BLOCKED_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.5
RECENT: Final = timedelta(minutes=5)
"""How long the health reports a loop that turns again."""
MAX_REPORTS: Final = 20
FRAMES: Final = 12
SLICE_SECONDS: Final = 0.1
"""How long the loop is waited for at a time, to see whether the process itself runs."""
STORE_TIMEOUT: Final = 5.0
REMEDY: Final = (
    "All jobs and requests of this process wait meanwhile. Write it as a plain `def execute`, "
    'which runs in a thread, or set executor = "process".'
)


@dataclass(slots=True)
class _Block:
    """A time during which the loop did not turn; `seconds` is None until it turns again."""

    what: str
    began_at: datetime
    seconds: float | None = None

    def __str__(self) -> str:
        since = f"{self.began_at:%Y-%m-%d %H:%M:%S} UTC"
        if self.seconds is None:
            return f"{self.what} blocks the event loop, since {since}."
        return f"{self.what} blocked the event loop for {self.seconds} s, from {since}."


class _Wait:
    """A wait of the thread that watches, which ends late where the whole process is held up."""

    def __init__(self) -> None:
        self._began, self._used = time.monotonic(), time.process_time()

    def ran(self, planned: float) -> float:
        """Return for how many of its seconds the process ran.

        Native code that keeps the interpreter's lock computes beyond those that were planned; a
        process that is suspended, or that others keep from the processor, does not.
        """
        took = time.monotonic() - self._began
        return min(took, max(planned, time.process_time() - self._used))


class LoopWatch(HostedService):
    """Watches the event loop of a worker from a thread of its own, which no job can starve.

    `limit` is how many seconds the loop may not turn before that is reported: in the worker's log,
    in that of the job over a connection of the thread's own, and to the health. Time during which
    the process was suspended does not count.
    """

    name = "loop watch"

    def __init__(
        self,
        database: Database,
        buffer: ProgressBuffer,
        options: BackgroundJobsOptions,
        clock: Clock,
        own: CurrentWorker,
        *,
        limit: float = BLOCKED_SECONDS,
    ) -> None:
        self.limit = limit
        self._database = database
        self._buffer = buffer
        self._max_log_entries = options.max_log_entries
        self._clock = clock
        self._own = own
        self._blocks: deque[_Block] = deque(maxlen=MAX_REPORTS)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Watch the loop that runs this, until cancelled."""
        stopping = threading.Event()
        watched = (asyncio.get_running_loop(), threading.get_ident(), stopping)
        threading.Thread(target=self._watch, args=watched, name="loop watch", daemon=True).start()
        task_status.started()
        try:
            await anyio.sleep_forever()
        finally:
            stopping.set()

    def troubles(self) -> list[str]:
        """Return a sentence for each recent block, for the health of the worker."""
        since = self._clock.now() - RECENT
        # A copy, made at once: the thread that watches adds to it.
        return [str(each) for each in list(self._blocks) if each.began_at >= since]

    def _watch(
        self, loop: asyncio.AbstractEventLoop, thread: int, stopping: threading.Event
    ) -> None:
        began, pause = time.monotonic(), _Wait()
        while not stopping.wait(POLL_SECONDS):
            turned = threading.Event()
            try:
                loop.call_soon_threadsafe(turned.set)
            except RuntimeError:
                return  # closed
            # Native code that holds the interpreter's lock holds up this thread as well.
            if self._stands_still(turned, pause.ran(POLL_SECONDS) - POLL_SECONDS):
                # First of all: that code may just have returned, and its job end at once.
                frame = sys._current_frames().get(thread)
                block = self._report(frame, time.monotonic() - began)
                self._own.blocked_since = block.began_at
                while not turned.wait(POLL_SECONDS):
                    if stopping.is_set():
                        return
                self._own.blocked_since = None
                block.seconds = round(time.monotonic() - began, 1)
                logger.warning("%s blocked the event loop for %s s.", block.what, block.seconds)
            began, pause = time.monotonic(), _Wait()

    def _stands_still(self, turned: threading.Event, seconds: float) -> bool:
        """Wait until the loop turns, or until it has not for too long, `seconds` of it before."""
        while seconds < self.limit:
            wait = _Wait()
            if turned.wait(SLICE_SECONDS):
                return False
            seconds += wait.ran(SLICE_SECONDS)
        return True

    def _report(self, frame: FrameType | None, seconds: float) -> _Block:
        attempt = attempt_in(frame)
        stack = "".join(traceback.format_stack(frame, FRAMES)) if frame else ""
        what = "Something"
        if attempt is not None:
            what = f"The job {attempt.lease.job_id} ({attempt.claimed.job_type})"
            remark = f"The event loop has not turned for {seconds:.1f} s. {REMEDY} It is here:\n"
            message = printable(attempt.redact(remark + stack))
            number = next(attempt.line_numbers)
            self._buffer.log(LogLine(attempt.lease, number, self._clock.now(), message))
        block = _Block(what, self._clock.now() - timedelta(seconds=seconds))
        self._blocks.append(block)
        if attempt is not None:
            self._write_log(attempt.lease)
        with LoggedIn(attempt):
            logger.warning("%s blocks the event loop. %s It is here:\n%s", what, REMEDY, stack)
        return block

    def _write_log(self, lease: Lease) -> None:
        # The buffer is written once the loop turns; until then people shall see these.
        if lines := self._buffer.unwritten_lines(lease):
            try:
                anyio.run(self._store, lines)
            except Exception as error:  # noqa: BLE001 - they are in the buffer
                message = "The job's log could not be written yet (%s)."
                logger.warning(message, describe(error))

    async def _store(self, lines: Sequence[LogLine]) -> None:
        async with Database(self._database.url).open_bare() as database:
            with anyio.fail_after(STORE_TIMEOUT):
                await open_store(database).append_logs(lines, self._max_log_entries)
