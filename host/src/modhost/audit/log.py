"""The implementation of the audit."""

from collections.abc import Sequence
from typing import Final, TypeVar
from uuid import UUID

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from modhost.audit.contracts import AuditEntry, AuditPage, AuditSearch, Outcome
from modhost.audit.tables import Entry
from modhost.caller import Caller, current_caller
from modhost.clock import Clock
from modhost.database import Database
from modhost.ids import new_id

T = TypeVar("T")

_LONGEST: Final = 500


class DatabaseAudit:
    """Implements `AuditLog` and `AuditReader`; what each method promises is said there."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(
        self,
        action: str,
        subject: str = "",
        *,
        outcome: Outcome = Outcome.DONE,
        detail: str = "",
        session: AsyncSession | None = None,
        caller: Caller | None = None,
    ) -> None:
        """Append an entry."""
        who = caller or await current_caller()
        entry = Entry(
            id=new_id(),
            at=self._clock.now(),
            actor_kind=who.kind,
            actor_id=who.id,
            actor_name=_storable(who.name),
            address=_storable(who.address) or None,
            action=action,
            subject=_storable(subject),
            outcome=outcome.value,
            detail=_storable(detail),
        )
        if session is not None:
            session.add(entry)
            return
        async with self._database.session() as own:
            own.add(entry)

    async def newest(
        self, search: AuditSearch, limit: int, before: UUID | None = None
    ) -> Sequence[AuditEntry]:
        """Read a stretch of entries."""
        statement = _matching(select(Entry), search)
        if before is not None:
            statement = statement.where(col(Entry.id) < before)
        async with self._database.reading() as session:
            return await _entries(session, statement.limit(limit))

    async def page(self, search: AuditSearch, page: int, page_size: int) -> AuditPage:
        """Read a page of entries."""
        counting = _matching(select(func.count()).select_from(Entry), search, is_ordered=False)
        statement = _matching(select(Entry), search).offset((page - 1) * page_size)
        async with self._database.reading() as session:
            total = (await session.exec(counting)).one()
            items = await _entries(session, statement.limit(page_size))
        return AuditPage(items=items, total_count=total, page=page, page_size=page_size)


def _matching(
    statement: SelectOfScalar[T], search: AuditSearch, *, is_ordered: bool = True
) -> SelectOfScalar[T]:
    if search.actor:
        same_actor = or_(Entry.actor_id == search.actor, Entry.actor_name == search.actor)
        statement = statement.where(same_actor)
    if search.action:
        statement = statement.where(Entry.action == search.action)
    if search.subject:
        statement = statement.where(Entry.subject == search.subject)
    return statement.order_by(col(Entry.id).desc()) if is_ordered else statement


async def _entries(session: AsyncSession, statement: SelectOfScalar[Entry]) -> list[AuditEntry]:
    return [AuditEntry.model_validate(entry) for entry in await session.exec(statement)]


def _storable(text: str) -> str:
    """Return the text, bounded, without what no database takes: NUL and lone surrogates."""
    cleaned = text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return cleaned if len(cleaned) <= _LONGEST else f"{cleaned[: _LONGEST - 1]}…"
