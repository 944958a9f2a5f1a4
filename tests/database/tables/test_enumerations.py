"""Enumerations are stored on both databases, those of two modules by the same name too."""

from enum import Enum
from pathlib import Path

import pytest
import sqlalchemy as sa

from database.tables.library import Library, library_of

pytestmark = pytest.mark.anyio

ID = 'sa.Column("id", sa.Integer(), primary_key=True)'
KIND = 'sa.Enum("NOVEL", "ATLAS", name="kind")'
WITH_KIND = f'op.create_table("books", {ID}, sa.Column("kind", {KIND}), schema=NAME)'


class Kind(Enum):
    NOVEL = 1
    ATLAS = 2


async def stores_kinds(library: Library) -> None:
    """Write and read a row as models do."""
    metadata = sa.MetaData(schema=library.name)
    key = sa.Column("id", sa.Integer, primary_key=True)
    books = sa.Table("books", metadata, key, sa.Column("kind", sa.Enum(Kind)))
    await library.run(sa.insert(books).values(id=1, kind=Kind.ATLAS))
    ask = sa.select(books.c.id).where(books.c.kind == Kind.ATLAS)
    assert await library.sync(lambda found: found.execute(ask).scalars().all()) == [1]


@pytest.mark.parametrize(
    "body",
    [
        WITH_KIND,
        f'{WITH_KIND}\nop.create_table("films", {ID}, sa.Column("kind", {KIND}), schema=NAME)',
        (
            f'op.create_table("books", {ID}, schema=NAME)\n'
            f'op.add_column("books", sa.Column("kind", {KIND}), schema=NAME)'
        ),
        (
            f'op.create_table("books", {ID}, sa.Column("kind", sa.String(9)), schema=NAME)\n'
            f'op.alter_column("books", "kind", type_={KIND}, '
            f'postgresql_using=f"kind::{{NAME}}.kind", schema=NAME)'
        ),
        (
            f'op.create_table("books", {ID}, schema=NAME)\n'
            'with op.batch_alter_table("books", schema=NAME) as batch:\n'
            f'    batch.add_column(sa.Column("kind", {KIND}))'
        ),
    ],
)
async def test_the_model_finds_the_type_that_a_revision_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str, body: str
) -> None:
    for name in ("library", "cinema"):
        library = library_of(tmp_path, monkeypatch, empty_database_url, name)
        library.add(body)
        await library.migrate()
        await stores_kinds(library)


async def test_an_enumeration_gets_another_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    library = library_of(tmp_path, monkeypatch, empty_database_url, "order")
    library.add(WITH_KIND.replace('"ATLAS"', '"MAP"'))
    await library.migrate()
    more = KIND.replace('"ATLAS"', '"ATLAS", "it\'s 5% :off"')
    library.add(f'op.alter_column("books", "kind", type_={more}, schema=NAME)')
    await library.migrate()
    await stores_kinds(library)
