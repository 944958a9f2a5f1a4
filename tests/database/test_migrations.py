"""Migrations are applied once, and refuse a database of a newer version."""

import anyio
import anyio.lowlevel
import pytest
import sqlalchemy as sa

from modhost.database import (
    Database,
)
from modhost.database.errors import UnknownRevision
from modhost.database.migrations import migrate, pending
from modhost.database.schemas import Migrations

pytestmark = pytest.mark.anyio

IDENTITY = [Migrations("modhost", "modhost.migrations")]


async def test_migrations_of_many_processes_at_once_are_applied_once(
    empty_database_url: str,
) -> None:
    applied: list[int] = []

    async def run() -> None:
        async with Database(empty_database_url).open() as database:
            applied.append(len(await migrate(database, IDENTITY)))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(run)
    assert sorted(applied) == [0, 0, 0, 0, 1]
    async with Database(empty_database_url).open() as database:
        assert await pending(database, IDENTITY) == []


async def test_databases_of_two_kinds_are_migrated_at_the_same_time(
    empty_sqlite_url: str, empty_postgres_url: str
) -> None:
    """What one migration had to do was done in the other's database."""
    async with (
        Database(empty_sqlite_url).open() as file,
        Database(empty_postgres_url).open() as server,
    ):
        async with anyio.create_task_group() as group:
            for database in (file, server):
                group.start_soon(migrate, database, IDENTITY)
        for database in (file, server):
            assert await pending(database, IDENTITY) == []


async def test_a_database_of_a_newer_version_is_refused(empty_database_url: str) -> None:
    async with Database(empty_database_url).open() as database:
        await migrate(database, IDENTITY)
        async with database.session() as session:
            table = sa.table("alembic_version", sa.column("version_num"), schema="modhost")
            change = sa.update(table).values(version_num="from the future")
            await (await session.connection()).execute(change)
        with pytest.raises(UnknownRevision, match="a newer version has migrated"):
            await migrate(database, IDENTITY)
