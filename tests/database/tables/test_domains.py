"""A domain of PostgreSQL is a type of the schema of its module, as an enumeration is."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN

from database.tables.library import library_of

pytestmark = pytest.mark.anyio

ID = 'sa.Column("id", sa.Integer(), primary_key=True)'
IMPORT = "from sqlalchemy.dialects.postgresql import DOMAIN\n"
CODE = 'sa.String(LENGTH).with_variant(DOMAIN("code", sa.String(LENGTH)), "postgresql")'


@pytest.mark.parametrize(
    "body",
    [
        f'op.create_table("books", {ID}, sa.Column("code", {CODE}), schema=NAME)',
        (
            f'op.create_table("books", {ID}, schema=NAME)\n'
            f'op.add_column("books", sa.Column("code", {CODE}), schema=NAME)'
        ),
        (
            f'op.create_table("books", {ID}, sa.Column("code", sa.Text()), schema=NAME)\n'
            f'op.alter_column("books", "code", type_={CODE}, schema=NAME)'
        ),
    ],
)
async def test_domains_of_one_name_are_apart_in_two_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str, body: str
) -> None:
    for name, length in (("library", 9), ("cinema", 3)):
        library = library_of(tmp_path, monkeypatch, empty_database_url, name)
        library.add(IMPORT + body.replace("LENGTH", str(length)))
        await library.migrate()
        domain = DOMAIN("code", sa.String(length))
        key = sa.Column("id", sa.Integer, primary_key=True)
        code = sa.Column("code", sa.String(length).with_variant(domain, "postgresql"))
        books = sa.Table("books", sa.MetaData(schema=name), key, code)
        await library.run(sa.insert(books).values(id=1, code="a" * length))
        assert await library.rows("books", "id", "code") == [(1, "a" * length)]
