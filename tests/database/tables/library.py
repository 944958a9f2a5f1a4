"""A module with revisions of the test's own, and what its tables are then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa

from modhost import new_id
from modhost.database import Database
from modhost.database.migrations import migrate
from modhost.database.schemas import Migrations

T = TypeVar("T")

FIRST = """
op.create_table(
    "authors",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("name", sa.String(20), nullable=False),
    schema=NAME,
)
op.create_table(
    "books",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("title", sa.String(20), nullable=False),
    sa.Column("pages", sa.String(10)),
    sa.Column("isbn", sa.String(20), unique=True),
    sa.Column("author_id", sa.Integer(),
              sa.ForeignKey(f"{NAME}.authors.id", ondelete="CASCADE"), nullable=False),
    sa.CheckConstraint("length(title) > 0"),
    schema=NAME,
)
op.create_index(f"ix_{NAME}_books_title", "books", ["title"], schema=NAME)
op.create_index(f"ix_{NAME}_books_lower", "books", [sa.text("lower(title)")], schema=NAME)
authors = sa.table("authors", sa.column("id"), sa.column("name"), schema=NAME)
op.bulk_insert(authors, [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}])
books = sa.table("books", *map(sa.column, ("id", "title", "pages", "isbn", "author_id")),
                 schema=NAME)
op.bulk_insert(books, [
    {"id": 1, "title": "One", "pages": "12", "isbn": "a", "author_id": 1},
    {"id": 2, "title": "Two", "pages": None, "isbn": None, "author_id": 1},
])
"""
_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {before!r}
NAME = {name!r}


def upgrade():
"""


class Library:
    """The revisions of a module that is installed, and a database."""

    def __init__(self, folder: Path, database_url: str, name: str) -> None:
        self.url = database_url
        self.name = name
        self.package = f"revisions_{new_id().hex}"
        self._folder = folder / self.package / "versions"
        self._folder.mkdir(parents=True)
        (self._folder.parent / "__init__.py").touch()
        self._count = 0

    @property
    def migrations(self) -> Migrations:
        # The revisions of a package are read once, those of another version anew.
        return Migrations(self.name, self.package, f"acme-library-{self._count}")

    def add(self, body: str) -> None:
        """Write the next revision."""
        before = f"{self._count:04}" if self._count else None
        self._count += 1
        revision = f"{self._count:04}"
        head = _REVISION.format(revision=revision, before=before, name=self.name)
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        (self._folder / f"{revision}_change.py").write_text(f"{head}{lines}\n")

    async def migrate(self) -> None:
        """Apply the newest revision."""
        async with Database(self.url).open() as database:
            (done,) = await migrate(database, [self.migrations])
        assert done.wanted == f"{self._count:04}"

    async def sync(self, ask: Callable[[sa.Connection], T]) -> T:
        """Ask something of the database."""
        async with Database(self.url).open() as database, database.session() as session:
            return await (await session.connection()).run_sync(ask)

    def table(self, name: str, *columns: str) -> sa.TableClause:
        return sa.table(name, *map(sa.column, columns), schema=self.name)

    async def columns(self, table: str) -> dict[str, Any]:
        def ask(connection: sa.Connection) -> dict[str, Any]:
            found = sa.inspect(connection).get_columns(table, schema=self.name)
            return {each["name"]: each for each in found}

        return await self.sync(ask)

    async def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        ask = sa.select(*self.table(table, *columns).c)
        return [tuple(row) for row in await self.sync(lambda found: found.execute(ask).all())]

    async def run(self, statement: sa.Executable) -> None:
        await self.sync(lambda connection: connection.execute(statement))


def library_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, name: str = "library"
) -> Library:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Library(tmp_path, url, name)
