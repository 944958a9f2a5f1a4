"""The table of the audit, and the service that appends to it and reads it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import Index, MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from modhost.audit.contracts import AuditEntry, AuditPage, AuditSearch, Outcome
from modhost.caller import Caller, current_caller
from modhost.clock import Clock
from modhost.database import Database, Identifier, UtcDateTime
from modhost.ids import new_id

T = TypeVar("T")

MAX_LENGTH: Final = 500


class AuditTable(SQLModel, registry=registry(metadata=MetaData(schema="modhost"))):
    """Base of the audit's table, in a registry of its own."""


class Entry(AuditTable, table=True):
    """An audited action; the id sorts by time. The database refuses to change or delete rows."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_modhost_audit_actor_id", "actor_id", "id"),
        Index("ix_modhost_audit_actor_name", "actor_name", "id"),
        Index("ix_modhost_audit_action", "action", "id"),
        Index("ix_modhost_audit_subject", "subject", "id"),
    )

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    at: datetime = Field(sa_type=UtcDateTime)
    actor_kind: str
    actor_id: str
    actor_name: str
    address: str | None = None
    action: str
    subject: str
    outcome: str
    detail: str


class DatabaseAudit:
    """Implement `AuditLog` and `AuditReader`; their docstrings describe each method."""

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
        actor = caller or await current_caller()
        entry = Entry(
            id=new_id(),
            at=self._clock.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_name=_storable(actor.name),
            address=_storable(actor.address) or None,
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
        """Read the newest entries, or those before one."""
        statement = _matching(select(Entry), search).order_by(col(Entry.id).desc())
        if before is not None:
            statement = statement.where(col(Entry.id) < before)
        async with self._database.reading() as session:
            return await _entries(session, statement.limit(limit))

    async def about(self, subjects: Collection[str], limit: int) -> Sequence[AuditEntry]:
        """Read the newest entries about several things."""
        if not subjects:
            return []
        statement = select(Entry).where(col(Entry.subject).in_(subjects))
        async with self._database.reading() as session:
            return await _entries(session, statement.order_by(col(Entry.id).desc()).limit(limit))

    async def page(self, search: AuditSearch, page: int, page_size: int) -> AuditPage:
        """Read a page of entries."""
        counting = _matching(select(func.count()).select_from(Entry), search)
        statement = _matching(select(Entry), search).order_by(col(Entry.id).desc())
        statement = statement.offset((page - 1) * page_size).limit(page_size)
        async with self._database.reading() as session:
            total = (await session.exec(counting)).one()
            items = await _entries(session, statement)
        return AuditPage(items=items, total_count=total, page=page, page_size=page_size)


def _matching(statement: SelectOfScalar[T], search: AuditSearch) -> SelectOfScalar[T]:
    if search.actor:
        same_actor = or_(Entry.actor_id == search.actor, Entry.actor_name == search.actor)
        statement = statement.where(same_actor)
    if search.action:
        statement = statement.where(Entry.action == search.action)
    if search.subject:
        statement = statement.where(Entry.subject == search.subject)
    return statement


async def _entries(session: AsyncSession, statement: SelectOfScalar[Entry]) -> list[AuditEntry]:
    return [AuditEntry.model_validate(entry) for entry in await session.exec(statement)]


def _storable(text: str) -> str:
    """Return the text, shortened, without what no database stores: NUL and lone surrogates."""
    cleaned = text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return cleaned if len(cleaned) <= MAX_LENGTH else f"{cleaned[: MAX_LENGTH - 1]}…"
