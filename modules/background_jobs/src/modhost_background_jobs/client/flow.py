"""The implementation of the contract for flow control."""

from datetime import UTC, datetime
from typing import Final

from modhost.audit import AuditLog, recorded
from modhost.caller import current_caller
from modhost.database import Database
from modhost_background_jobs.client.limits import LATEST
from modhost_background_jobs.contracts import InvalidFlow, WorkerNotFound
from modhost_background_jobs.contracts.errors import MAX_WORKER_NAME
from modhost_background_jobs.contracts.flow_checks import (
    MAX_TYPE_NAME,
    QUEUE_NAME,
    is_queue_name,
    is_type_name,
)
from modhost_background_jobs.model.pauses import PauseKind
from modhost_background_jobs.queue.pauses import Pauses
from modhost_background_jobs.queue.workers import QuietWorkers
from modhost_background_jobs.storage import QueueClock

MAX_REASON: Final = 500
_THINGS: Final = {"queue": "queues", "type": "job_types"}


class FlowControlService:
    """Implements `FlowControl`, which describes each method; what is done is in the audit."""

    def __init__(
        self,
        database: Database,
        pauses: Pauses,
        quiet_workers: QuietWorkers,
        audit: AuditLog,
        clock: QueueClock,
    ) -> None:
        self._quiet_workers = quiet_workers
        self._database = database
        self._pauses = pauses
        self._audit = audit
        self._clock = clock

    async def pause_queue(
        self, queue: str, *, until: datetime | None = None, reason: str = ""
    ) -> None:
        """Start no job of a queue."""
        name, ends_at = _queue(queue), self._end(until)
        await self._pause("queue", name, ends_at, _reason(reason))

    async def resume_queue(self, queue: str) -> None:
        """End the pause of a queue."""
        await self._resume("queue", _queue(queue))

    async def pause_job_type(
        self, job_type: str, *, until: datetime | None = None, reason: str = ""
    ) -> None:
        """Start no job of a type."""
        name, ends_at = _job_type(job_type), self._end(until)
        await self._pause("type", name, ends_at, _reason(reason))

    async def resume_job_type(self, job_type: str) -> None:
        """End the pause of a type."""
        await self._resume("type", _job_type(job_type))

    async def quiet_worker(self, name: str) -> None:
        """Have a worker claim no more jobs."""
        by = await actor()
        async with (
            recorded(self._audit, "workers.quiet", f"worker:{_worker(name)}") as entry,
            self._database.session() as session,
        ):
            was_claiming = await self._quiet_workers.quiet(session, name, by)
            entry.detail = "" if was_claiming else "it was quiet already"
            await entry.done_in(session)
        self._quiet_workers.wake()

    async def resume_worker(self, name: str) -> None:
        """Have a quiet worker claim jobs again."""
        async with (
            recorded(self._audit, "workers.resume", f"worker:{_worker(name)}") as entry,
            self._database.session() as session,
        ):
            was_quiet = await self._quiet_workers.resume(session, name)
            entry.detail = "" if was_quiet else "it was not quiet"
            await entry.done_in(session)
        self._quiet_workers.wake()

    async def _pause(self, kind: PauseKind, name: str, until: datetime | None, reason: str) -> None:
        by = await actor()
        ends = f"until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""
        async with (
            recorded(self._audit, f"{_THINGS[kind]}.pause", f"{kind}:{name}") as entry,
            self._database.session() as session,
        ):
            entry.detail = "; ".join(filter(None, (ends, reason)))
            await self._pauses.pause(session, kind, name, until=until, reason=reason, paused_by=by)
            await entry.done_in(session)
        self._pauses.wake()

    async def _resume(self, kind: PauseKind, name: str) -> None:
        async with (
            recorded(self._audit, f"{_THINGS[kind]}.resume", f"{kind}:{name}") as entry,
            self._database.session() as session,
        ):
            was_paused = await self._pauses.resume(session, kind, name)
            entry.detail = "" if was_paused else "it was not paused"
            await entry.done_in(session)
        self._pauses.wake()

    def _end(self, until: datetime | None) -> datetime | None:
        """Return the end of a pause in UTC. Raises `InvalidFlow`."""
        if until is None:
            return None
        if not isinstance(until, datetime) or until.tzinfo is None:
            msg = f"until is {until!s:.60}; give a time with a zone, or none."
            raise InvalidFlow(msg)
        try:
            moment = until.astimezone(UTC)
        except OverflowError:
            moment = LATEST
        if not self._clock.now() < moment < LATEST:
            msg = f"until is {until.isoformat()}; give a time in the future, before the year "
            raise InvalidFlow(f"{msg}{LATEST.year}, or none to pause until somebody resumes it.")
        return moment


async def actor() -> str:
    """Return who has it done, e.g. `user:vera`, `job:mail.SendNewsletter` or `system:the host`."""
    caller = await current_caller()
    return caller.person or f"{caller.kind}:{caller.name}"


def _queue(name: str) -> str:
    """Return the name of a queue. Raises `InvalidFlow`."""
    if not is_queue_name(name):
        raise InvalidFlow(f"No queue is named {ascii(name)[:60]}; a name has {QUEUE_NAME}.")
    return name


def _job_type(name: str) -> str:
    """Return the name of a job type. Raises `InvalidFlow`."""
    if not is_type_name(name):
        msg = f"No job type is named {ascii(name)[:60]}; give 1 to {MAX_TYPE_NAME} printable "
        raise InvalidFlow(f"{msg}characters, as in reports_example.GenerateReportJob.")
    return name


def _worker(name: str) -> str:
    """Return what can be the name of a worker. Raises `WorkerNotFound`."""
    if not isinstance(name, str) or not name.isprintable() or len(name) > MAX_WORKER_NAME:
        raise WorkerNotFound(name)
    return name


def _reason(reason: str) -> str:
    """Return the reason of a pause. Raises `InvalidFlow`."""
    if not isinstance(reason, str) or len(reason) > MAX_REASON or not reason.isprintable():
        msg = f"The reason is {ascii(reason)[:60]}; give up to {MAX_REASON} printable characters, "
        raise InvalidFlow(f"{msg}in one line.")
    return reason.strip()
