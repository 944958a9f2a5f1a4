"""A PostgreSQL server on which the databases of tests come and go."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

from anyio.from_thread import BlockingPortal
from sqlalchemy.engine import make_url

from modhost.database import Database


class DatabaseServer:
    """Creates and drops databases, on a connection that is kept.

    Args:
        url: of a database of the server.
        portal: the event loop that the connection belongs to.
        database: the same database, open.

    """

    def __init__(self, url: str, portal: BlockingPortal, database: Database) -> None:
        self._url = url
        self._portal = portal
        self._database = database

    @classmethod
    @contextmanager
    def connected(cls, url: str, portal: BlockingPortal) -> Iterator["DatabaseServer"]:
        """Connect to the server of a URL, whose user must be allowed to create databases."""
        database = Database(url)
        with portal.wrap_async_context_manager(database.open_bare()):
            yield cls(url, portal, database)

    @contextmanager
    def template(self, fill: Callable[[str], None]) -> Iterator[str]:
        """Offer the name of a new database after `fill` was called with its URL."""
        with self._created("template1", "template") as name:
            fill(self._url_of(name))
            yield name

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """Offer the URL of a copy of a database, which is dropped at the end, whoever uses it."""
        with self._created(template, "test") as name:
            yield self._url_of(name)

    @contextmanager
    def _created(self, template: str, kind: str) -> Iterator[str]:
        name = f"modhost_{kind}_{uuid4().hex}"
        # Small ones are copied faster so than by way of the log.
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        try:
            yield name
        finally:
            self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _url_of(self, name: str) -> str:
        return make_url(self._url).set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        self._portal.call(self._database.postgres.execute, statement)
