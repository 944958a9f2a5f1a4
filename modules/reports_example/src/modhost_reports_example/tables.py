"""The tables of the reports."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import MetaData, Text
from sqlmodel import Field, SQLModel

from modhost.database import Identifier, UtcDateTime

SCHEMA = "reports_example"


class ReportsTable(SQLModel):
    """Base of this module's tables, with metadata of their own."""

    metadata: ClassVar[MetaData] = MetaData()


class StoredReport(ReportsTable, table=True):
    """A report; `rows` is JSON, empty until the job is done. Ids grow with time.

    `upload` is the file that was sent for it, as long as it may be there.
    """

    __tablename__ = "reports"
    __table_args__ = ({"schema": SCHEMA},)

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    type: str
    source: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    records: int | None = None
    rows: str | None = Field(default=None, sa_type=Text)
    upload: str | None = Field(default=None, index=True)


class Seed(ReportsTable, table=True):
    """Something that was set up once, and stays as people leave it from then on."""

    __tablename__ = "seeds"
    __table_args__ = ({"schema": SCHEMA},)

    name: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
