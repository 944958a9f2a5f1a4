"""Buffer progress, checkpoints and log lines of jobs, and flush them to the database."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import anyio
from anyio.abc import TaskStatus

from modhost import HostedService
from modhost.failures import failures, run_owned
from modhost_background_jobs.model import Lease, LogLine, ProgressUpdate, listed
from modhost_background_jobs.model.steps import Checkpoint
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, Signal, is_integrity_error, wait_for
from modhost_background_jobs.worker.write_retry import apart

logger = logging.getLogger(__name__)

WRITE: Final = "The write of progress and logs"

Entry = TypeVar("Entry", ProgressUpdate, LogLine, Checkpoint)

FIRST_LINES: Final = 20
"""How many lines of an attempt are flushed soon: they are what is left of one that crashes."""
FIRST_LINES_SECONDS: Final = 0.1
"""How long such a line waits at least, and half of what it waits at most."""


class ProgressBuffer(HostedService):
    """Takes entries from any thread without blocking, and flushes them.

    Of an attempt's progress only the newest is kept; log lines are all kept. The first lines of an
    attempt are flushed by themselves, unless it has finished a moment later.
    """

    name = "progress flush"

    def __init__(self, store: JobStore, options: BackgroundJobsOptions) -> None:
        self._full = Signal()
        """Fired on the event loop when a batch has come together."""
        self._has_first_lines = Signal()
        self._store = store
        self._max_log_entries = options.max_log_entries
        self._batch_size = options.progress_flush_batch_size
        self._interval = options.progress_flush_interval.total_seconds()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._guard = threading.Lock()
        self._writing = anyio.Lock()
        self._progress: dict[Lease, ProgressUpdate] = {}
        self._logs: dict[Lease, list[LogLine]] = {}
        self._checkpoints: dict[Lease, Checkpoint] = {}
        self._ending: set[Lease] = set()
        self._entries = 0
        self._with_first_lines: set[Lease] = set()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Flush until cancelled, and one last time then."""
        self._loop = asyncio.get_running_loop()
        task_status.started()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(run_owned, self._flush_first_lines)
                while True:
                    await wait_for(self._full.ticket(), self._interval)
                    await self._flush_or_log()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await self._flush_or_log()

    def report(self, update: ProgressUpdate) -> None:
        """Take a progress update; a message left out keeps the one before."""
        with self._guard:
            before = self._progress.get(update.lease)
            self._progress[update.lease] = update if before is None else update.after(before)
            self._count()

    def checkpoint(self, reached: Checkpoint) -> None:
        """Take how far an attempt has come, in place of what it came to before."""
        with self._guard:
            self._checkpoints[reached.lease] = reached
            self._count()

    async def keep(self, lease: Lease) -> None:
        """Keep what cannot be stored of an attempt that ends its job itself, for `flush_rest`."""
        with self._guard:
            self._ending.add(lease)

    def no_longer_keep(self, leases: Iterable[Lease]) -> None:
        """Forget attempts whose ends are stored."""
        if self._ending:
            self._ending.difference_update(leases)

    def log(self, line: LogLine) -> None:
        """Take a log line; of the unwritten ones only the newest are kept, up to the limit."""
        if self._max_log_entries == 0:
            return
        with self._guard:
            lines = self._logs.setdefault(line.lease, [])
            lines.append(line)
            if len(lines) > 2 * self._max_log_entries:
                del lines[: -self._max_log_entries]
            self._count()
            if line.number < FIRST_LINES:
                self._note_first_line(line.lease)

    def unwritten_lines(self, lease: Lease) -> list[LogLine]:
        """Return a copy of the log lines of an attempt that are still to be written."""
        with self._guard:
            return list(self._logs.get(lease, ()))

    def unwritten(self) -> tuple[int, datetime | None]:
        """Return how many entries are still to be written, and when the oldest was reported."""
        with self._guard:
            since = [each.reported_at for each in self._progress.values()]
            since += [lines[0].logged_at for lines in self._logs.values() if lines]
            return self._entries, min(since, default=None)

    async def flush(self, leases: Collection[Lease] | None = None) -> set[UUID]:
        """Write the entries of some attempts or of all; those that cannot be written are kept.

        Returns the jobs whose entries are kept because somebody else has locked the jobs.
        """
        if not self._entries and not self._writing.locked():
            return set()
        async with self._writing:
            progress, logs, checkpoints = self._take(leases)
            try:
                checkpoints, locked = await self._write(self._store.save_checkpoints, checkpoints)
                progress, more = await self._write(self._store.save_progress, progress)
                append = partial(self._store.append_logs, keep=self._max_log_entries)
                logs_left, others = await self._write(append, logs)
            except BaseException:
                self._put_back(progress, logs, checkpoints)
                raise
            if progress or logs_left or checkpoints:
                self._put_back(progress, logs_left, checkpoints)
            return locked | more | others

    async def flush_rest(self, leases: Collection[Lease], ended: Collection[UUID]) -> None:
        """Write the rest of attempts that have ended their jobs themselves, those in `ended`."""
        async with self._writing:
            progress, logs, _ = self._take(leases)
            try:
                await self._store.save_last_reports(
                    [each for each in progress if each.lease.job_id in ended],
                    [each for each in logs if each.lease.job_id in ended],
                    self._max_log_entries,
                )
            except Exception as error:
                if not is_integrity_error(error):
                    self._put_back(progress, logs, [])
                    raise
                jobs = listed([each.job_id for each in leases])
                logger.error("The database refuses what the job %s reports (%s).", jobs, error)  # noqa: TRY400

    async def _write(
        self, write: Callable[[Sequence[Entry]], Awaitable[set[UUID]]], entries: list[Entry]
    ) -> tuple[list[Entry], set[UUID]]:
        """Write entries, except those that the database refuses: they would hold up all others.

        Returns those to keep, which are of locked jobs, or of jobs that may have just ended
        themselves, and the jobs that are locked.
        """
        if not entries:
            return [], set()
        written = await apart(write, entries)
        for entry, error in written.refused:
            logger.error(
                "The database refuses what the job %s reports (%s).", entry.lease.job_id, error
            )
        left = [
            each
            for each in entries
            if each.lease.job_id in written.locked
            or (each.lease in self._ending and each.lease.job_id not in written.held)
        ]
        return left, written.locked

    def _note_first_line(self, lease: Lease) -> None:
        if not self._with_first_lines and self._loop is not None:
            self._loop.call_soon_threadsafe(self._has_first_lines.fire)
        self._with_first_lines.add(lease)

    async def _flush_first_lines(self) -> None:
        while True:
            ticket = self._has_first_lines.ticket()
            if not self._with_first_lines:
                await ticket.wait()
            waiting = self._with_first_lines.copy()
            await anyio.sleep(FIRST_LINES_SECONDS)
            # The others have finished meanwhile, and been flushed: quick jobs cost nothing.
            waiting &= self._with_first_lines
            if waiting:
                await self._flush_or_log(waiting)

    async def _flush_or_log(self, leases: Collection[Lease] | None = None) -> None:
        try:
            await self.flush(leases)
            failures.passed(WRITE)
        except Exception as error:  # noqa: BLE001 - what could not be written is kept
            failures.failed(logger, WRITE, error)

    def _take(
        self, of: Collection[Lease] | None
    ) -> tuple[list[ProgressUpdate], list[LogLine], list[Checkpoint]]:
        with self._guard:
            leases = list(self._progress | self._logs | self._checkpoints) if of is None else of
            progress = [self._progress.pop(key) for key in leases if key in self._progress]
            taken = [self._logs.pop(key) for key in leases if key in self._logs]
            reached = [self._checkpoints.pop(key) for key in leases if key in self._checkpoints]
            self._with_first_lines.difference_update(leases)
            self._count_all()
        keep = self._max_log_entries
        return progress, [line for lines in taken for line in lines[-keep:]], reached

    def _put_back(
        self, progress: list[ProgressUpdate], logs: list[LogLine], reached: list[Checkpoint]
    ) -> None:
        with self._guard:
            self._checkpoints = {each.lease: each for each in reached} | self._checkpoints
            for update in progress:
                newer = self._progress.get(update.lease)
                self._progress[update.lease] = update if newer is None else newer.after(update)
            newer_logs, self._logs = self._logs, {}
            for line in logs:
                self._logs.setdefault(line.lease, []).append(line)
            for lease, lines in newer_logs.items():
                self._logs.setdefault(lease, []).extend(lines)
            self._count_all()

    def _count_all(self) -> None:
        self._entries = len(self._progress) + len(self._checkpoints)
        self._entries += sum(map(len, self._logs.values()))

    def _count(self) -> None:
        self._entries += 1
        if self._entries % self._batch_size == 0 and self._loop is not None:
            self._loop.call_soon_threadsafe(self._full.fire)
