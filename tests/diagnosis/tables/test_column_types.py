"""A column that cannot hold what its model says is reported, where the database keeps to that."""

import re
from pathlib import Path

import pytest

from diagnosis.support import Doctor, install
from modhost import new_id

SOURCE = """
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlmodel import Field, SQLModel

from modhost import Module


class Base(SQLModel):
    metadata = sa.MetaData(schema="NAME")


class Shelf(Base, table=True):
    id: int = Field(primary_key=True)


sa.Table("things", Base.metadata, sa.Column("id", sa.Integer, primary_key=True), MODEL)


class Acme(Module):
    name = "NAME"
    migrations = "acme_NAME.migrations"
"""
REVISION = """
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DOMAIN

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("shelf", sa.Column("id", sa.Integer(), primary_key=True), schema="NAME")
    op.create_table("things", sa.Column("id", sa.Integer(), primary_key=True), TABLE, schema="NAME")
"""
POSTGRES = [
    ("sa.String(20)", "sa.String(50)"),
    ("sa.String(20)", "sa.Text()"),
    ("sa.String(20)", 'sa.Enum("A" * 30, name="other", native_enum=False)'),
    ('sa.Enum("A", "B", name="kind")', 'sa.Enum("B", "C", "A", name="kind")'),
    ('sa.Enum("A", "B", name="colour")', "sa.String(9)"),
    ("sa.String(9)", 'sa.Enum("A", "B", name="kind")'),
    ("sa.Integer()", "sa.BigInteger()"),
    ("sa.SmallInteger()", "sa.Integer()"),
    ("sa.Numeric(10, 2)", "sa.Numeric(12, 4)"),
    ("sa.Numeric(10, 2)", "sa.Numeric()"),
    ("sa.Numeric(6, 5)", "sa.Numeric(6, 2)"),
    ("sa.REAL()", "sa.Double()"),
    ("sa.Double()", "sa.Numeric(10, 2)"),
    ("sa.DateTime()", "sa.DateTime(timezone=True)"),
    ("sa.DateTime(timezone=True)", "sa.DateTime()"),
    ("sa.String(36)", "sa.Uuid()"),
    ("sa.ARRAY(sa.String(3))", "sa.ARRAY(sa.String(9))"),
    ('DOMAIN("short", sa.Integer())', "sa.String(9)"),
]
BOTH = [
    ("sa.Date()", "sa.Integer()"),
    (
        'sa.Enum("A", "B", name="size", native_enum=False, create_constraint=True)',
        'sa.Enum("A", "it\'s", "B", name="size", native_enum=False, create_constraint=True)',
    ),
    ("sa.String(9), nullable=False", 'sa.String(9), server_default="x", nullable=False'),
]
FITTING = [
    ("sa.Text()", "sa.String(50)"),
    ("sa.String(50)", "sa.String(50)"),
    ("sa.BigInteger()", "sa.Integer()"),
    ("sa.Integer()", 'sa.BigInteger().with_variant(sa.Integer(), "sqlite", "postgresql")'),
    ("sa.Numeric(12, 4)", "sa.Numeric(10, 2)"),
    ("sa.Numeric()", "sa.Numeric(10, 2)"),
    ("sa.REAL()", "sa.REAL()"),
    ("sa.Float()", "sa.Double()"),
    ("sa.Interval()", "sa.Interval()"),
    ("sa.Uuid()", "sa.Uuid()"),
    ("sa.Uuid(native_uuid=False)", "sa.Uuid(native_uuid=False)"),
    ("sa.JSON()", "sa.JSON()"),
    ("sa.LargeBinary()", "sa.LargeBinary()"),
    ('sa.Enum("A", "B", name="kind")', 'sa.Enum("A", name="kind")'),
    ('sa.Text().with_variant(DOMAIN("word", sa.Text()), "postgresql")', "sa.String(9)"),
    (
        'sa.Enum("A", "B", name="size", native_enum=False, create_constraint=True)',
        'sa.Enum("B", name="size", native_enum=False)',
    ),
    ('sa.String(9), server_default="y"', 'sa.String(9), server_default="x"'),
]


def examined(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    columns: list[tuple[str, str]],
    *,
    exits: int,
) -> set[str]:
    """Migrate to the former type of each column; return which the doctor finds, of the latter."""
    name = f"desk_{new_id().hex[-12:]}"
    tables, models = (
        ", ".join(f'sa.Column("c{number}", {each[side]})' for number, each in enumerate(columns))
        for side in (0, 1)
    )
    source = SOURCE.replace("MODEL", models).replace("NAME", name)
    revision = REVISION.replace("TABLE", tables).replace("NAME", name)
    install(folder, monkeypatch, name, source, r0001=revision)
    found = Doctor.of(folder, database_url).migrate().findings(exits=exits)
    assert {each["code"] for each in found} <= {"MH505"}
    return set(re.findall(r"things\.(c\d+)", " ".join(each["message"] for each in found)))


def test_types_that_hold_less_than_their_models_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    columns = POSTGRES + BOTH
    found = examined(tmp_path, monkeypatch, postgres_url, columns, exits=1)
    assert found == {f"c{number}" for number in range(len(columns))}


def test_sqlite_keeps_to_families_checks_and_defaults_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    portable = [
        pair for pair in POSTGRES if not {"ARRAY", "DOMAIN"} & set(re.split(r"\W", pair[0]))
    ]
    columns = BOTH + portable
    found = examined(tmp_path, monkeypatch, sqlite_url, columns, exits=1)
    assert found == {f"c{number}" for number in range(len(BOTH))}


def test_types_that_hold_what_their_models_say_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    assert examined(tmp_path, monkeypatch, database_url, FITTING, exits=0) == set()
