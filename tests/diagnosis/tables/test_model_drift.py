"""Models are compared with the tables as they are."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor, install
from modhost import new_id

SOURCE = """
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from modhost import Module
from modhost.database import Identifier, UtcDateTime


class Colour(StrEnum):
    RED = "red"


class Base(SQLModel):
    metadata = sa.MetaData()


class Drawer(Base, table=True):
    __tablename__ = "drawers"
    __table_args__ = (
        sa.Index("ix_NAME_lower", sa.text("lower(label)")),
        sa.Index("ix_NAME_open", "label", "id", unique=True,
                 sqlite_where=sa.text("is_open"), postgresql_where=sa.text("is_open")),
        sa.UniqueConstraint("label", "colour", name="uq_NAME"),
        {"schema": "NAME"},
    )

    id: UUID = Field(primary_key=True, sa_type=Identifier)
    label: str
    colour: Colour = Field(sa_column=sa.Column(sa.Enum(Colour, native_enum=False), nullable=False))
    made_at: datetime = Field(sa_type=UtcDateTime)
    own: UUID | None = Field(default=None, sa_type=sa.Uuid)
    day: date | None = None
    hour: time | None = None
    lasts: timedelta | None = None
    price: Decimal | None = Field(default=None, max_digits=10, decimal_places=2)
    weight: float | None = None
    picture: bytes | None = None
    tags: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    is_open: bool = False
    above: UUID | None = Field(default=None, foreign_key="NAME.drawers.id", sa_type=Identifier)
    user: UUID | None = Field(default=None, foreign_key="modhost.users.id", sa_type=Identifier)
MORE

sa.Table("plain", Base.metadata, sa.Column("id", sa.Integer, primary_key=True), schema="NAME")


class Acme(Module):
    name = "NAME"
    migrations = "acme_NAME.migrations"
"""

MIGRATION = """
import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier, UtcDateTime

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "drawers",
        sa.Column("id", Identifier(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("colour", sa.String(10), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("own", sa.Uuid()),
        sa.Column("day", sa.Date()),
        sa.Column("hour", sa.Time()),
        sa.Column("lasts", sa.Interval()),
        sa.Column("price", sa.Numeric(10, 2)),
        sa.Column("weight", sa.Double()),
        sa.Column("picture", sa.LargeBinary()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("above", Identifier(), sa.ForeignKey("NAME.drawers.id")),
        sa.Column("user", Identifier(), sa.ForeignKey("modhost.users.id")),
        sa.Column("of_an_older_version", sa.Integer()),
        sa.UniqueConstraint("label", "colour", name="uq_NAME"),
        schema="NAME",
    )
    op.create_index("ix_NAME_lower", "drawers", [sa.text("lower(label)")], schema="NAME")
    op.create_index("ix_NAME_more", "drawers", ["day", sa.text("abs(weight)")], schema="NAME")
    op.create_index("ix_NAME_open", "drawers", ["label", "id"], unique=True, schema="NAME",
                    sqlite_where=sa.text("is_open"), postgresql_where=sa.text("is_open"))
    op.create_table("plain", sa.Column("id", sa.Integer(), primary_key=True), schema="NAME")
    op.create_table("older", sa.Column("id", sa.Integer(), primary_key=True), schema="NAME")
"""


class Desk:
    """A module with a table of every kind of column, installed and migrated."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.database_url = database_url
        # Models of two tests of one name would be two of one name for SQLAlchemy too.
        self.name = f"desk_{new_id().hex[-12:]}"

    def doctor(self, more: str = "", source: str = SOURCE) -> Doctor:
        """Install the module with more lines of models, migrate, and return its doctor."""
        source, migration = (
            text.replace("MORE", more).replace("NAME", self.name) for text in (source, MIGRATION)
        )
        install(self.folder, self.monkeypatch, self.name, source, r0001=migration)
        return Doctor.of(self.folder, self.database_url).migrate()

    def table(self, name: str) -> str:
        return f"{self.name}{'_' if self.database_url.startswith('sqlite') else '.'}{name}"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Desk:
    return Desk(tmp_path, monkeypatch, database_url)


def test_tables_that_hold_what_the_models_say_are_right(desk: Desk) -> None:
    assert desk.doctor().findings(exits=0) == []


def test_a_table_that_no_migration_makes_is_named(desk: Desk) -> None:
    more = """

class Forgotten(Base, table=True):
    __tablename__ = "forgotten"
    __table_args__ = (sa.Index("ix_NAME_forgotten", "text"), {"schema": "NAME"})

    id: int = Field(primary_key=True)
    text: str
"""
    found = desk.doctor(more).findings(exits=1)
    assert [each["code"] for each in found] == ["MH505", "MH506"]
    table, index = found
    assert table["message"] == f"the table {desk.table('forgotten')} does not exist."
    assert table["remedy"] == "Write a migration for it, then run `modhost migrate`."
    assert (table["module"], table["distribution"]) == (desk.name, f"acme-{desk.name}")
    assert f"has no index ix_{desk.name}_forgotten" in index["message"]


def test_a_column_that_no_migration_makes_or_changes_is_named(desk: Desk) -> None:
    changed = (
        SOURCE.replace("day: date | None", "day: int | None")
        .replace("price: Decimal | None = Field(default=None, ", "price: Decimal = Field(")
        .replace('"label", "colour", name', '"label", "day", name')
    )
    found = desk.doctor("    note: str | None = None\n", changed).findings(exits=1)
    assert {each["code"] for each in found} == {"MH505"}
    drawers = desk.table("drawers")
    assert {each["message"] for each in found} == {
        f"the table {drawers} has no column note.",
        f"the column {drawers}.day is of type DATE(), and in the model Integer().",
        f"the column {drawers}.price takes NULL, and in the model it does not take it.",
        f"the table {drawers} does not keep label, day unique.",
    }


def test_a_column_that_the_model_lacks_is_named_if_no_row_does_without_it(desk: Desk) -> None:
    source = SOURCE.replace("    made_at: datetime = Field(sa_type=UtcDateTime)\n", "")
    found = desk.doctor(source=source).findings(exits=1)
    assert [each["code"] for each in found] == ["MH505"]
    assert f"{desk.table('drawers')}.made_at takes no NULL" in found[0]["message"]


def test_a_module_without_migrations_is_reported_to_have_some(desk: Desk) -> None:
    source = SOURCE.replace('    migrations = "acme_NAME.migrations"\n', "")
    found = desk.doctor(source=source).findings(exits=1)
    messages = {each["message"] for each in found if each["code"] == "MH505"}
    assert messages == {
        f"the table {desk.table(name)} does not exist." for name in ("drawers", "plain")
    }
    assert found[0]["remedy"].startswith("Set migrations to the package of the module's revisions.")


def test_a_model_in_the_package_of_a_module_is_its_own_whatever_its_schema(desk: Desk) -> None:
    more = """

class Loose(Base, table=True):
    __tablename__ = "loose_NAME"

    id: int = Field(primary_key=True)
"""
    (found,) = desk.doctor(more).findings(exits=1)
    assert found["message"] == f"the table loose_{desk.name} does not exist."


def test_an_index_that_was_dropped_is_named_with_the_statement_that_makes_it(
    doctor: Doctor, database_url: str
) -> None:
    is_sqlite = database_url.startswith("sqlite")
    schema = "" if is_sqlite else "background_jobs."
    doctor.sql(f"DROP INDEX {schema}ix_background_jobs_jobs_claim")
    doctor.sql(f"DROP INDEX {schema}ix_background_jobs_finished_jobs_type")
    claim, by_type = sorted(
        doctor.findings(exits=1), key=lambda each: "finished" in str(each["message"])
    )
    assert (claim["code"], claim["module"]) == ("MH506", "background_jobs")
    table = "background_jobs_jobs" if is_sqlite else "background_jobs.jobs"
    assert claim["message"] == f"the table {table} has no index ix_background_jobs_jobs_claim."
    assert "ix_background_jobs_finished_jobs_type" in by_type["message"]
    for each in (claim, by_type):
        _, statement, _ = str(each["remedy"]).split("`")
        doctor.sql(statement)
    assert doctor.findings(exits=0) == []


def test_an_index_over_other_columns_than_the_models_is_named(doctor: Doctor) -> None:
    name = "ix_modhost_sessions_user"
    doctor.sql(f"DROP INDEX {'' if 'sqlite' in doctor.database_url else 'modhost.'}{name}")
    doctor.sql(f"CREATE INDEX {name} ON {doctor.table('modhost', 'sessions')} (id)")
    (found,) = doctor.findings(exits=1)
    assert found["code"] == "MH506"
    assert f"the index {name} of" in found["message"]
    assert "differs from that of the model" in found["message"]
