"""What happens to PostgreSQL and its connections."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import asyncpg
from anyio import to_thread

from chaos.databases.opening import NAME
from chaos.databases.server import ROLE, Server
from chaos.faults.fault import SERVERS, Fault
from chaos.scene import Scene

HELD_SECONDS: Final = 6.0
OF_HOSTS: Final = f"FROM pg_stat_activity WHERE usename = '{ROLE}'"


def server_of(scene: Scene) -> Server:
    """Return the server of a scene that has one."""
    assert scene.served.server is not None
    return scene.served.server


@asynccontextmanager
async def superuser(scene: Scene) -> AsyncIterator[Any]:
    """Open a connection that nobody ends."""
    connection = await asyncpg.connect(server_of(scene).superuser_url(NAME))
    try:
        yield connection
    finally:
        await connection.close()


async def terminate_some(scene: Scene) -> None:
    async with superuser(scene) as connection:
        some = f"SELECT pg_terminate_backend(pid) {OF_HOSTS} AND random() < 0.5"
        for _ in range(3):
            await connection.execute(some)
            await anyio.sleep(1)


async def terminate_all(scene: Scene) -> None:
    async with superuser(scene) as connection:
        await connection.execute(f"SELECT pg_terminate_backend(pid) {OF_HOSTS}")


async def kill_backend(scene: Scene) -> None:
    """Kill a process of the server, which ends all sessions and recovers."""
    async with superuser(scene) as connection:
        pid = await connection.fetchval(f"SELECT pid {OF_HOSTS} LIMIT 1")
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


async def restart(scene: Scene) -> None:
    await to_thread.run_sync(server_of(scene).restart, signal.SIGINT)


async def crash(scene: Scene) -> None:
    await to_thread.run_sync(server_of(scene).stop, signal.SIGQUIT)
    await anyio.sleep(scene.random.uniform(0, 2 * HELD_SECONDS))
    await to_thread.run_sync(server_of(scene).start)


async def exhaust_connections(scene: Scene) -> None:
    """Take all connections of the server, those of the hosts included."""
    taken = []
    try:
        async with superuser(scene) as connection:
            with anyio.move_on_after(HELD_SECONDS):
                while True:
                    try:
                        taken.append(await asyncpg.connect(server_of(scene).url(NAME)))
                    except (asyncpg.TooManyConnectionsError, OSError):
                        own = ", ".join(f"{each.get_server_pid()}" for each in taken)
                        others = (
                            f"SELECT pg_terminate_backend(pid) {OF_HOSTS} AND pid NOT IN ({own})"
                        )
                        await connection.execute(f"{others} AND random() < 0.3")
                        await anyio.sleep(0.3)
    finally:
        for each in taken:
            each.terminate()


async def kill_pooler(scene: Scene) -> None:
    pooler = scene.served.pooler
    assert pooler is not None
    await to_thread.run_sync(pooler.stop, signal.SIGKILL)
    await anyio.sleep(scene.random.uniform(0, HELD_SECONDS))
    await to_thread.run_sync(pooler.start)


FAULTS: Final = (
    Fault("half of the connections terminated, thrice", terminate_some, SERVERS),
    Fault("all connections terminated", terminate_all, SERVERS),
    Fault("a process of PostgreSQL killed", kill_backend, SERVERS),
    Fault("PostgreSQL restarted", restart, SERVERS),
    Fault("PostgreSQL crashed, down for up to 12 s", crash, SERVERS),
    Fault("all connections of the server taken", exhaust_connections, SERVERS),
    Fault("PgBouncer killed, down for up to 6 s", kill_pooler, ("pgbouncer",)),
)
