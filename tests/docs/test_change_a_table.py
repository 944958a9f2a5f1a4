"""The code of the page "Change a table" works on both databases."""

import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
import sqlalchemy as sa
from sqlmodel import select

from diagnosis.support import Doctor
from docs.pages import blocks, files_shown, page
from modhost import new_id
from modhost.database import Database, Identifier
from modhost.database.migrations.histories import _history_of, histories_of
from modhost.database.migrations.running import upgrade
from modhost.database.schemas import Migrations

PAGE = page("modules/change-a-table.md")
MODULE = """
from library.tables import Author, Book
from modhost import Module


class Library(Module):
    name = "library"
    migrations = "library.migrations"
"""


@pytest.fixture
def project(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package of the page, installed once there is a database without its tables."""
    files = {name.removeprefix("src/"): text for name, text in files_shown(PAGE).items()}
    assert len(files) == 3
    info = "acme_library-1.0.dist-info"
    files |= {
        "library/__init__.py": "",
        "library/migrations/__init__.py": "",
        "library/module.py": MODULE,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: acme-library\nVersion: 1.0\n",
        f"{info}/entry_points.txt": "[modhost.modules]\nlibrary = library.module:Library\n",
    }
    for name, text in files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    _history_of.cache_clear()
    yield tmp_path
    for name in [each for each in sys.modules if each.partition(".")[0] == "library"]:
        del sys.modules[name]


def test_the_table_is_changed_with_its_rows(project: Path, database_url: str) -> None:
    first = Migrations("library", "library.migrations", str(project))
    author, book = new_id(), new_id()

    async def fill() -> None:
        history = histories_of([first])[first]
        async with Database(database_url).open() as database, database.session() as session:
            connection = await session.connection()
            await connection.run_sync(upgrade, first, history, "0001")
            ids = [sa.column(name, Identifier()) for name in ("id", "id", "author_id")]
            authors = sa.table("authors", ids[0], sa.column("name"), schema="library")
            books = sa.table("books", *ids[1:], sa.column("title"), schema="library")
            await connection.execute(sa.insert(authors).values(id=author, name="Ada"))
            row = {"id": book, "title": "One", "author_id": author}
            await connection.execute(sa.insert(books).values(row))

    anyio.run(fill)
    doctor = Doctor.of(project, database_url)
    migrated = doctor.modhost("migrate")
    assert "library went from revision 0001 to 0002." in migrated.output
    assert doctor.findings(exits=0) == []
    written = doctor.modhost("new", "migration", "library", "Nothing")
    assert "It is empty, since the tables are as the models" in written.output

    async def read() -> None:
        from library.tables import Book  # type: ignore[import-not-found]

        async with Database(database_url).open() as database:
            async with database.session() as session:
                session.add(Book(id=new_id(), title="x" * 200, author_id=author))
            async with database.reading() as session:
                found = (await session.exec(select(Book).where(Book.id == book))).one()
                assert (found.title, found.editor_id) == ("One", author)

    anyio.run(read)


def test_several_changes_are_one_copy(project: Path, database_url: str) -> None:
    (body,) = [each for each in blocks(PAGE, "python") if "batch_alter_table" in each]
    third = f"""import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade():
{body}"""
    (project / "library/migrations/versions/0003_batch.py").write_text(third)
    doctor = Doctor.of(project, database_url)
    assert "library went from revision none to 0003." in doctor.modhost("migrate").output
