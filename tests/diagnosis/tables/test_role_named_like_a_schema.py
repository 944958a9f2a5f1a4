"""PostgreSQL takes the schema that is named like the role for the default one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from diagnosis.support import Doctor, install
from modhost import new_id
from postgres import Postgres

ROLE = """
DO $$ BEGIN CREATE ROLE "{0}" LOGIN PASSWORD 'x'; EXCEPTION WHEN duplicate_object THEN NULL; END $$
"""
SOURCE = """
import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from modhost import Module


class Base(SQLModel, registry=registry(metadata=sa.MetaData(schema="NAME"))):
    pass


class User(Base, table=True):
    __tablename__ = "users"

    id: int = Field(primary_key=True)
    above: int | None = Field(default=None, foreign_key="NAME.users.id")
    name: str = Field(index=True)


class Acme(Module):
    name = "NAME"
    migrations = "acme_NAME.migrations"
"""
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("above", sa.Integer(), sa.ForeignKey("NAME.users.id")),
        sa.Column("name", sa.String(), nullable=False, index=True),
        schema="NAME",
    )
"""


def as_role(postgres: Postgres, url: str, role: str) -> str:
    """Return the URL of a database for its owner, which is not a superuser."""
    postgres.run(ROLE.format(role))
    address = make_url(url)
    postgres.run(f'ALTER DATABASE "{address.database}" OWNER TO "{role}"')
    return address.set(username=role, password="x").render_as_string(hide_password=False)


@pytest.fixture
def role(postgres: Postgres) -> Iterator[str]:
    """The name of a role, and of a module."""
    name = f"role_{new_id().hex[-12:]}"
    yield name
    postgres.run(f'DROP ROLE IF EXISTS "{name}"')


def test_the_host_s_own_schema(postgres: Postgres, tmp_path: Path) -> None:
    with postgres.lent() as empty:
        doctor = Doctor.of(tmp_path, as_role(postgres, empty, "modhost")).migrate()
        assert doctor.findings(exits=0) == []
        doctor.sql("DROP INDEX modhost.ix_modhost_sessions_user")
        doctor.sql("ALTER TABLE modhost.users DROP COLUMN disabled_at")
        found = {each["code"] for each in doctor.findings(exits=1)}
        assert {"MH505", "MH506"} <= found


def test_the_schema_of_a_module(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    source, migration = (text.replace("NAME", role) for text in (SOURCE, MIGRATION))
    install(tmp_path, monkeypatch, role, source, r0001=migration)
    with postgres.lent() as empty:
        doctor = Doctor.of(tmp_path, as_role(postgres, empty, role)).migrate()
        assert doctor.findings(exits=0) == []
        doctor.sql(f"DROP TABLE {role}.users")
        assert next(each["message"] for each in doctor.findings(exits=1)) == (
            f"the table {role}.users does not exist."
        )
