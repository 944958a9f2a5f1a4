"""The steps of an attempt: what is done is stored, and later attempts do not do it again."""

import inspect
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypeVarTuple
from uuid import UUID

import anyio
import anyio.to_thread

from modhost.calls.returned import awaited, function_of
from modhost.database import Database
from modhost_background_jobs.contracts import JobCancelled, StepError
from modhost_background_jobs.model.steps import SavedStep, StepRow
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, QueueClock
from modhost_background_jobs.storage.end_events import NO_END_EVENTS, EndEvents
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.exit_guard import WithoutChildren
from modhost_background_jobs.worker.attempts.growth import Growth
from modhost_background_jobs.worker.attempts.results import Results
from modhost_background_jobs.worker.attempts.steps.results import StepResult
from modhost_background_jobs.worker.write_retry import apart, until_written

Args = TypeVarTuple("Args")

MAX_NAME: Final = 200
LAST_SECONDS: Final = 1.0
"""How long an attempt that is to stop tries to store a step whose function has returned."""
BAD_NAME: Final = (
    "The name of a step is a text of 1 to {} characters without NUL, and not {}: later attempts "
    "find what is done by it."
)
TWICE: Final = (
    "The step {!r} is there twice in this attempt: its name is what its result is stored under. "
    "Give each step its own name; in a loop, one with what the round is for, as in "
    'f"page {{number}}".'
)
ENDED: Final = (
    "The function of the step {!r} has ended the transaction of its session, which is to be "
    "committed together with the note that the step is done: leave commit and rollback to the step."
)


class StepTools:
    """What all attempts of a process share for their steps, and for their workflows."""

    def __init__(
        self,
        database: Database,
        store: JobStore,
        growth: Growth,
        options: BackgroundJobsOptions,
        clock: QueueClock,
        end_events: EndEvents = NO_END_EVENTS,
    ) -> None:
        self.database = database
        self.end_events = end_events
        self.growth = growth
        self.store = store
        self.clock = clock
        self.results = Results(options)
        self.max_size = options.max_result_size
        self.threads = anyio.CapacityLimiter(options.max_concurrency)
        """For plain functions; jobs in threads, which have their own, call them where they are."""


class Begun(NamedTuple):
    """A step whose function is to be called."""

    name: str
    number: int
    started_at: datetime
    result: StepResult


class Done(NamedTuple):
    """A step that an earlier attempt has done, and what that returned."""

    value: Any


class AttemptSteps:
    """Takes the steps of one attempt, which may run side by side."""

    def __init__(self, attempt: Attempt, tools: StepTools) -> None:
        self._attempt = attempt
        self._tools = tools
        self._taken: set[str] = set()
        self._reading = anyio.Lock()
        # A first attempt has nothing to read.
        self._stored: dict[str, str | None] | None = {} if attempt.lease.fence == 1 else None
        self._number = 0

    async def run(
        self, name: str, function: Callable[..., Any], *args: *Args, transactional: bool = False
    ) -> Any:
        """Take a step; see `JobExecutionContext.step`."""
        step = await self.begin(name, function)
        if isinstance(step, Done):
            return step.value
        try:
            if transactional:
                return await self._run_in_session(step, function, args)
            return await self.finish(step, await self._called(function, args))
        except BaseException:
            self.failed(step)
            raise

    async def begin(self, name: str, function: Callable[..., Any]) -> Begun | Done:
        """Return what an earlier attempt has stored, or a step to finish, or that has failed."""
        if self._attempt.reason is not None:
            self._attempt.has_noticed = True
            raise JobCancelled(self._attempt.reason.value)
        if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME or "\0" in name:
            raise StepError(BAD_NAME.format(MAX_NAME, ascii(name)[:MAX_NAME]))
        result = StepResult(name, function)
        if name in self._taken:
            raise StepError(TWICE.format(name))
        self._taken.add(name)
        try:
            stored = await self._read_stored()
        except BaseException:
            self._taken.discard(name)
            raise
        if name in stored:
            self._attempt.keep_secret(stored[name])
            return Done(result.read(stored[name]))
        self._number = max(self._number, len(stored)) + 1
        return Begun(name, self._number, self._tools.clock.now(), result)

    async def finish(self, step: Begun, value: Any) -> Any:
        """Store what a function has returned, and return it as later attempts will get it."""
        row, value = self._row(step, value)
        await self._save(row)
        return value

    def failed(self, step: Begun) -> None:
        """Let the step be taken again, unless it is found to be stored then all the same."""
        self._taken.discard(step.name)
        self._stored = None

    async def _read_stored(self) -> dict[str, str | None]:
        async with self._reading:
            if self._stored is None:
                self._stored = await self._tools.store.read_steps(self._attempt.lease.job_id)
            return self._stored

    async def _called(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        if is_async(function):
            return await function(*args)
        with self._attempt.in_thread():
            value = await anyio.to_thread.run_sync(
                call, function, args, abandon_on_cancel=True, limiter=self._tools.threads
            )
        return await awaited(value) if inspect.isawaitable(value) else value

    async def _run_in_session(
        self, step: Begun, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> Any:
        try:
            async with self._tools.database.session() as session:
                connection = await session.connection()
                transaction = session.get_transaction()
                value = function(session, *args)
                row, value = self._row(step, await value if inspect.isawaitable(value) else value)
                if session.get_transaction() is not transaction:
                    raise StepError(ENDED.format(step.name))
                lease = self._attempt.lease
                saved = await self._tools.store.save_step_in(connection, lease, row)
                self._check(is_held=saved.is_held)
                _refuse_second(saved)
        except _StoredMeanwhile:
            # By a commit of this attempt whose answer was lost.
            stored = await self._tools.store.read_steps(self._attempt.lease.job_id)
            return step.result.read(stored[step.name])
        return value

    def _row(self, step: Begun, value: Any) -> tuple[StepRow, Any]:
        stored, value = step.result.to_stored(value, self._tools.max_size)
        self._attempt.keep_secret(stored)
        ended_at = self._tools.clock.now()
        return StepRow(step.name, step.number, step.started_at, ended_at, stored), value

    async def _save(self, row: StepRow) -> None:
        """Store a step whatever fails: what it did is done."""

        async def save(rows: Sequence[StepRow]) -> set[UUID]:
            saved = await self._tools.store.save_step(lease, rows[0])
            return {lease.job_id} if saved.is_held else set()

        lease = self._attempt.lease
        store = partial(until_written, lambda: apart(save, [row]), "the steps of jobs")
        try:
            written = await store()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(LAST_SECONDS, shield=True):
                await store()
            raise
        for _, error in written.refused:
            msg = f"The database refuses the result of the step {row.name!r}: {error}"
            raise StepError(msg)
        self._check(is_held=bool(written.held))

    def _check(self, *, is_held: bool) -> None:
        if not is_held:
            self._attempt.stop(StopReason.LOST_LEASE)
            raise JobCancelled(StopReason.LOST_LEASE.value)


class _StoredMeanwhile(Exception):
    """The step is stored already, and what its function did is to be rolled back."""


def _refuse_second(saved: SavedStep) -> None:
    if not saved.is_new:
        raise _StoredMeanwhile


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether a function, or what is called like one, is declared `async`."""
    return inspect.iscoroutinefunction(function_of(function))


def call(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Call a function in a thread."""
    with WithoutChildren():
        return function(*args)
