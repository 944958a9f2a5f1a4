"""Recording an action however it ends."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from modhost.audit.contracts import AuditLog, Outcome


@dataclass(slots=True)
class Record:
    """What the entry will say beside the action; the block may fill it in."""

    action: str
    subject: str
    detail: str = ""


@asynccontextmanager
async def recorded(
    audit: AuditLog,
    action: str,
    subject: str,
    *refusals: type[Exception],
) -> AsyncIterator[Record]:
    """Append an entry when the block ends.

    An exception of `refusals` is the outcome `refused` with its text as the detail; any other is
    `failed` with the name of its class, since its text may hold anything.
    """
    record = Record(action, subject)
    try:
        yield record
    except Exception as error:
        is_refused = isinstance(error, refusals)
        outcome = Outcome.REFUSED if is_refused else Outcome.FAILED
        detail = str(error) if is_refused else type(error).__name__
        await audit.record(record.action, record.subject, outcome=outcome, detail=detail)
        raise
    await audit.record(record.action, record.subject, detail=record.detail)
