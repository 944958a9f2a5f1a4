"""Others hold what the queue needs: rows, tables, the file, a snapshot, the space on the disk."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Final

import anyio
from anyio import to_thread

from chaos.faults.fault import SERVERS, Fault, has_disk
from chaos.faults.server import HELD_SECONDS, superuser
from chaos.scene import Scene

FULL_SECONDS: Final = 6.0


@asynccontextmanager
async def _transaction(scene: Scene, *statements: str) -> AsyncIterator[None]:
    """Hold a transaction open, on either kind of database."""
    if scene.served.server is not None:
        async with superuser(scene) as connection:
            for statement in statements:
                await connection.execute(statement)
            yield
            await connection.execute("ROLLBACK")
        return
    path = scene.served.url.removeprefix("sqlite:///")
    with closing(
        sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    ) as file:
        for statement in statements:
            await to_thread.run_sync(file.execute, statement)
        yield
        file.execute("ROLLBACK")


async def hold_snapshot(scene: Scene) -> None:
    jobs = "background_jobs.jobs" if scene.served.server else "background_jobs_jobs"
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ" if scene.served.server else "BEGIN"
    async with _transaction(scene, begin, f"SELECT count(*) FROM {jobs}"):
        await anyio.sleep(2 * HELD_SECONDS)


async def hold_write_lock(scene: Scene) -> None:
    """Shorter than the time after which a silent worker counts as dead: nobody can write a beat."""
    async with _transaction(scene, "BEGIN IMMEDIATE"):
        await anyio.sleep(HELD_SECONDS)


async def lock_table(scene: Scene) -> None:
    lock = "LOCK TABLE background_jobs.jobs IN ACCESS EXCLUSIVE MODE"
    async with _transaction(scene, "BEGIN", lock):
        await anyio.sleep(HELD_SECONDS)


async def lock_rows(scene: Scene) -> None:
    rows = "SELECT id FROM background_jobs.jobs ORDER BY random() LIMIT 50 FOR UPDATE SKIP LOCKED"
    async with _transaction(scene, "BEGIN", rows):
        await anyio.sleep(HELD_SECONDS)


async def fill_disk(scene: Scene) -> None:
    with scene.served.disk.full():
        await anyio.sleep(FULL_SECONDS)


FAULTS: Final = (
    Fault("a snapshot held for 12 s", hold_snapshot),
    Fault("the lock of the file held for 6 s", hold_write_lock, ("sqlite",)),
    Fault("the table of jobs locked for 6 s", lock_table, SERVERS),
    Fault("50 jobs locked for 6 s", lock_rows, SERVERS),
    Fault("the disk full for 6 s", fill_disk, is_possible=has_disk),
)
