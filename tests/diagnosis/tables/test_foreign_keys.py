"""Foreign keys that are missing, or lead nowhere, are found."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor, install
from modhost import new_id
from modhost.database.migrations.histories import _history_of

SOURCE = """
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from modhost import Module
from modhost.database import Identifier


class Base(SQLModel, registry=registry(metadata=sa.MetaData(schema="NAME"))):
    pass


class Author(Base, table=True):
    __tablename__ = "authors"
    id: int = Field(primary_key=True)


class Book(Base, table=True):
    __tablename__ = "books"
    id: int = Field(primary_key=True)
    author_id: int = Field(foreign_key="NAME.authors.id")
    user_id: UUID | None = Field(foreign_key="modhost.users.id", sa_type=Identifier)


class Acme(Module):
    name = "NAME"
    migrations = "acme_NAME.migrations"
"""
HEAD = """
import sqlalchemy as sa
from alembic import op

from modhost.database import Identifier

revision = "{}"
down_revision = {}


def upgrade():
"""
FIRST = """
    op.create_table("authors", sa.Column("id", sa.Integer(), primary_key=True), schema="NAME")
    op.create_table(
        "books",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("author_id", sa.Integer(), KEY nullable=False),
        sa.Column("user_id", Identifier(), sa.ForeignKey("modhost.users.id")),
        schema="NAME",
    )
"""
SECOND = """
    DROP
    op.create_foreign_key("fk", "books", "authors", ["author_id"], ["id"],
                          source_schema="NAME", referent_schema="NAME")
"""


@pytest.fixture
def name() -> str:
    return f"acme{new_id().hex[-12:]}"


def test_one_that_the_database_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str, name: str
) -> None:
    first = (HEAD.format("1", None) + FIRST).replace("KEY", "").replace("NAME", name)
    install(tmp_path, monkeypatch, name, SOURCE.replace("NAME", name), r1=first)
    doctor = Doctor.of(tmp_path, database_url).migrate()
    (found,) = doctor.findings(exits=0)
    assert (found["code"], found["module"]) == ("MH515", name)
    assert f"author_id of {name}.books refers to {name}.authors in the model" in found["message"]


def test_one_that_an_earlier_version_created_is_found_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str, name: str
) -> None:
    key = "sa.ForeignKey('authors.id'),"
    stub = '\n    sa.Table("authors", sa.MetaData(), sa.Column("id", sa.Integer()))'
    first = (HEAD.format("1", None) + stub + FIRST).replace("KEY", key).replace("NAME", name)
    install(tmp_path, monkeypatch, name, SOURCE.replace("NAME", name), r1=first)
    doctor = Doctor.of(tmp_path, sqlite_url).migrate()
    dangling, missing = doctor.findings(exits=1)
    assert (dangling["code"], dangling["module"]) == ("MH514", name)
    assert f"{name}_books.author_id refers to the table authors" in dangling["message"]
    assert missing["code"] == "MH515"

    drop = f'op.drop_constraint("books_author_id_fkey", "books", schema="{name}")'
    second = (HEAD.format("2", "'1'") + SECOND).replace("DROP", drop).replace("NAME", name)
    versions = tmp_path / "installed" / f"acme_{name}" / "migrations" / "versions"
    (versions / "r2.py").write_text(second)
    _history_of.cache_clear()
    assert doctor.migrate().findings(exits=0) == []
