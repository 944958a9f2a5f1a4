"""Record an action however it ends, and requests that are refused."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.audit.contracts import AuditLog, Outcome
from modhost.clock import Clock

REPEAT_AFTER_SECONDS: Final = 60.0
MAX_REMEMBERED: Final = 1000


@dataclass(slots=True)
class Record:
    """The entry to write at the end of the block, which may change it."""

    audit: AuditLog
    action: str
    subject: str
    detail: str = ""
    is_written: bool = False

    async def done_in(self, session: AsyncSession) -> None:
        """Write the entry now, in the transaction of the action: both exist, or neither.

        Args:
            session: the session of the action.

        """
        await self.audit.record(self.action, self.subject, detail=self.detail, session=session)
        self.is_written = True


@asynccontextmanager
async def recorded(
    audit: AuditLog, action: str, subject: str, *refusals: type[Exception]
) -> AsyncIterator[Record]:
    """Append an entry when the block ends.

    Args:
        audit: where to append the entry.
        action: `<things>.<verb>`, e.g. `jobs.cancel`.
        subject: the object of the action, e.g. `job:0199…`.
        refusals: exceptions with the outcome `refused`, and their text as the detail. Any other
            is `failed`, with the name of its class, since its text may contain anything.

    """
    record = Record(audit, action, subject)
    try:
        yield record
    except Exception as error:
        is_refused = isinstance(error, refusals)
        outcome = Outcome.REFUSED if is_refused else Outcome.FAILED
        detail = str(error) if is_refused else type(error).__name__
        await audit.record(record.action, record.subject, outcome=outcome, detail=detail)
        raise
    if not record.is_written:
        await audit.record(record.action, record.subject, detail=record.detail)


class RefusedRequests:
    """Record refused requests, at most one a minute for each caller and route."""

    def __init__(self, audit: AuditLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._recorded: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def note(self, who: str, route: str, path: str, reason: str) -> None:
        """Record that the current caller, whose id is `who`, was refused."""
        now, key = self._clock.monotonic(), (who, route)
        if now - self._recorded.get(key, -REPEAT_AFTER_SECONDS) < REPEAT_AFTER_SECONDS:
            return
        self._recorded[key] = now
        self._recorded.move_to_end(key)
        if len(self._recorded) > MAX_REMEMBERED:
            self._recorded.popitem(last=False)
        await self._audit.record(route, path, outcome=Outcome.REFUSED, detail=reason)
