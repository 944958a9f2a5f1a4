"""The table of the audit. The database itself refuses to change or delete its rows."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, MetaData
from sqlmodel import Field, SQLModel

from modhost.database import Identifier, UtcDateTime


class Entry(SQLModel, table=True):
    """Something that somebody did; the id sorts by time."""

    metadata: ClassVar[MetaData] = MetaData()

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_modhost_audit_actor_id", "actor_id", "id"),
        Index("ix_modhost_audit_actor_name", "actor_name", "id"),
        Index("ix_modhost_audit_action", "action", "id"),
        Index("ix_modhost_audit_subject", "subject", "id"),
        {"schema": "modhost"},
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
