"""Every operation of alembic does on SQLite what it does on PostgreSQL, with the schema named."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from database.tables.library import Library, library_of

pytestmark = pytest.mark.anyio

ROWS = [(1, "One", "12", 1), (2, "Two", None, 1)]

RENAMED = 'op.alter_column("books", "name", new_column_name="label", nullable=True, schema=NAME)'


async def changed(library: Library, body: str) -> None:
    """Apply one more revision."""
    library.add(body)
    await library.migrate()


async def is_whole(library: Library) -> None:
    """Check the rows, the keys and the indexes that no revision of a test was to change."""
    assert sorted(await library.rows("books", "id", "title", "pages", "author_id")) == ROWS
    assert len(await library.rows("authors", "id")) == 2
    (key,) = await library.sync(
        lambda found: sa.inspect(found).get_foreign_keys("books", schema=library.name)
    )
    assert (key["referred_schema"], key["referred_table"]) == (library.name, "authors")
    names = await index_names(library)
    assert {f"ix_{library.name}_books_title", f"ix_{library.name}_books_lower"} <= names
    book = library.table("books", "id", "title", "author_id", "isbn")
    for values in (
        {"id": 3, "title": "Three", "author_id": 99},
        {"id": 3, "title": "", "author_id": 1},
        {"id": 3, "title": "Three", "author_id": 1, "isbn": "a"},
    ):
        with pytest.raises(IntegrityError):
            await library.run(sa.insert(book).values(values))


async def index_names(library: Library) -> set[str]:
    ask = "SELECT indexname FROM pg_indexes WHERE schemaname = 'library'"
    if library.url.startswith("sqlite"):
        ask = "SELECT name FROM sqlite_master WHERE type = 'index'"
    return set(await library.sync(lambda found: found.execute(sa.text(ask)).scalars().all()))


@pytest.mark.parametrize(
    "body",
    [
        'op.alter_column("books", "title", type_=sa.Text(), schema=NAME)',
        (
            'op.alter_column("books", "title", existing_type=sa.String(20), type_=sa.String(99),'
            " existing_nullable=False, schema=NAME)"
        ),
        'op.alter_column("books", "pages", nullable=True, server_default="1", schema=NAME)',
        (
            'with op.batch_alter_table("books", schema=NAME) as batch:\n'
            '    batch.alter_column("title", type_=sa.Text())\n'
            '    batch.add_column(sa.Column("note", sa.Text()))'
        ),
        (
            'with op.batch_alter_table("books", schema=NAME, recreate="always") as batch:\n'
            '    batch.add_column(sa.Column("note", sa.Text()))'
        ),
        'op.add_column("books", sa.Column("note", sa.Text()), schema=NAME)',
        (
            'op.add_column("books", sa.Column("at", sa.DateTime(), nullable=False,'
            " server_default=sa.func.now()), schema=NAME)"
        ),
        'op.create_check_constraint("ck_pages", "books", "pages <> \'\'", schema=NAME)',
        'op.alter_column("authors", "name", type_=sa.Text(), schema=NAME)',
        'op.create_table_comment("books", "All of them", schema=NAME)',
        (
            'op.rename_table("books", "volumes", schema=NAME)\n'
            'op.rename_table("volumes", "books", schema=NAME)'
        ),
        'op.alter_column("authors", "name", new_column_name="known_as", schema=NAME)',
    ],
)
async def test_an_operation_keeps_rows_keys_checks_and_indexes(library: Library, body: str) -> None:
    await changed(library, body)
    await is_whole(library)


async def test_a_column_has_another_type_name_default_and_may_be_null(library: Library) -> None:
    await changed(
        library,
        'op.alter_column("books", "pages", new_column_name="length", type_=sa.Integer(), '
        'nullable=False, server_default="7", postgresql_using="coalesce(pages, \'0\')::int", '
        "schema=NAME)"
        if library.url.startswith("postgresql")
        else 'books = sa.table("books", sa.column("pages"), schema=NAME)\n'
        'op.execute(sa.update(books).where(books.c.pages.is_(None)).values(pages="0"))\n'
        'op.alter_column("books", "pages", new_column_name="length", type_=sa.Integer(), '
        'nullable=False, server_default="7", schema=NAME)',
    )
    length = (await library.columns("books"))["length"]
    assert isinstance(length["type"], sa.Integer)
    assert length["nullable"] is False
    assert "7" in length["default"]
    assert sorted(await library.rows("books", "length")) == [(0,), (12,)]


async def test_a_column_that_may_not_be_null_is_added_with_a_default(library: Library) -> None:
    await changed(
        library,
        'op.add_column("books", sa.Column("shelf", sa.String(), nullable=False, '
        'server_default="A"), schema=NAME)\n'
        'op.alter_column("books", "shelf", server_default=None, schema=NAME)',
    )
    assert set(await library.rows("books", "shelf")) == {("A",)}
    assert (await library.columns("books"))["shelf"]["default"] is None


async def test_a_column_with_a_foreign_key_is_added(library: Library) -> None:
    await changed(
        library,
        'op.add_column("books", sa.Column("editor_id", sa.Integer(), '
        'sa.ForeignKey(f"{NAME}.authors.id")), schema=NAME)',
    )
    books = library.table("books", "id", "editor_id")
    await library.run(sa.update(books).values(editor_id=2))
    with pytest.raises(IntegrityError):
        await library.run(sa.update(books).values(editor_id=99))


@pytest.mark.parametrize("column", ["isbn", "title", "author_id", "pages"])
async def test_a_column_is_dropped_with_its_keys_and_indexes(library: Library, column: str) -> None:
    check = 'op.drop_constraint("books_title_check", "books", schema=NAME)\n'
    if column != "title":
        check = ""
    elif library.url.startswith("sqlite"):
        check = 'op.drop_constraint("books_check", "books", schema=NAME)\n'
    await changed(library, f'{check}op.drop_column("books", "{column}", schema=NAME)')
    assert column not in await library.columns("books")
    assert len(await library.rows("books", "id")) == 2


async def test_keys_are_dropped_by_the_names_that_postgresql_gives_them(library: Library) -> None:
    await changed(
        library,
        'op.drop_constraint("books_isbn_key", "books", schema=NAME)\n'
        'op.drop_constraint("books_author_id_fkey", "books", schema=NAME)',
    )
    books = library.table("books", "isbn", "author_id")
    await library.run(sa.update(books).values(isbn="same", author_id=99))


async def test_keys_are_created(library: Library) -> None:
    await changed(
        library,
        'op.create_table("shelves", sa.Column("id", sa.Integer(), primary_key=True), '
        'sa.Column("book", sa.Integer()), sa.Column("above", sa.Integer()), '
        'sa.Column("label", sa.String()), schema=NAME)\n'
        'op.create_foreign_key("fk_book", "shelves", "books", ["book"], ["id"], '
        "source_schema=NAME, referent_schema=NAME)\n"
        'op.create_foreign_key("fk_above", "shelves", "shelves", ["above"], ["id"], '
        "source_schema=NAME, referent_schema=NAME)\n"
        'op.create_unique_constraint("uq_label", "shelves", ["label"], schema=NAME)',
    )
    shelves = library.table("shelves", "id", "book", "above", "label")
    await library.run(sa.insert(shelves).values(id=1, book=1, above=1, label="a"))
    for wrong in ({"book": 9}, {"above": 9}, {"label": "a"}):
        with pytest.raises(IntegrityError):
            await library.run(sa.insert(shelves).values({"id": 2, **wrong}))


async def test_indexes_and_tables_are_dropped_and_renamed(library: Library) -> None:
    await changed(
        library,
        'op.drop_index(f"ix_{NAME}_books_title", "books", schema=NAME)\n'
        'op.drop_index(f"ix_{NAME}_books_lower", table_name="books", schema=NAME, if_exists=True)\n'
        'op.create_index("ix_isbn", "books", ["isbn"], unique=True, schema=NAME)\n'
        'op.rename_table("books", "Volumes", schema=NAME)',
    )
    names = await index_names(library)
    assert "ix_isbn" in names
    assert not {f"ix_{library.name}_books_title", f"ix_{library.name}_books_lower"} & names
    assert len(await library.rows("Volumes", "id")) == 2
    await changed(library, 'op.drop_table("Volumes", schema=NAME)')

    def tables(connection: sa.Connection) -> list[str]:
        return sa.inspect(connection).get_table_names(schema=library.name)

    assert sorted(await library.sync(tables)) == ["alembic_version", "authors"]


async def test_a_table_is_copied_without_deleting_the_rows_that_refer_to_it(
    library: Library,
) -> None:
    """SQLite deletes all rows of a table that it drops, and those that refer to them."""
    await changed(
        library,
        'with op.batch_alter_table("authors", schema=NAME) as batch:\n'
        '    batch.alter_column("name", type_=sa.Text(), existing_type=sa.String(20))',
    )
    await is_whole(library)


async def test_a_revision_inspects_the_tables_of_its_schema(library: Library) -> None:
    await changed(
        library,
        'op.drop_index(f"ix_{NAME}_books_lower", schema=NAME)\n'
        "found = sa.inspect(op.get_bind())\n"
        'assert found.has_table("books", schema=NAME)\n'
        'assert not found.has_table("films", schema=NAME)\n'
        'assert {"books", "authors"} <= set(found.get_table_names(schema=NAME))\n'
        'books = sa.Table("books", sa.MetaData(), autoload_with=op.get_bind(), schema=NAME)\n'
        "assert [key.target_fullname for key in books.foreign_keys] == "
        '[f"{NAME}.authors.id"]\n'
        'op.execute(sa.update(books).values(pages="3"))\n',
    )
    assert set(await library.rows("books", "pages")) == {("3",)}


async def test_a_copy_keeps_triggers_partial_indexes_and_generated_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_sqlite_url: str
) -> None:
    library = library_of(tmp_path, monkeypatch, empty_sqlite_url)
    library.add(
        'op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True), '
        'sa.Column("a", sa.String()), sa.Column("twice", sa.String(), sa.Computed("a || a")), '
        "schema=NAME, sqlite_with_rowid=False)\n"
        'op.execute("CREATE TRIGGER tr AFTER INSERT ON library_t BEGIN SELECT 1; END")\n'
        'op.execute("CREATE UNIQUE INDEX ix ON library_t (a) WHERE a IS NOT NULL")\n'
        'op.bulk_insert(sa.table("t", *map(sa.column, ("id", "a")), schema=NAME), '
        '[{"id": 1, "a": "q"}])'
    )
    await library.migrate()
    library.add('op.alter_column("t", "a", type_=sa.Text(), nullable=False, schema=NAME)')
    await library.migrate()
    assert await library.rows("t", "id", "a", "twice") == [(1, "q", "qq")]
    ask = sa.text("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'library_t'")
    rows = await library.sync(lambda connection: connection.execute(ask).all())
    found = {row.name: row.sql for row in rows}
    assert "tr" in found
    assert "WITHOUT ROWID" in found["library_t"]
    assert "WHERE a IS NOT NULL" in found["ix"]


async def test_a_column_with_a_check_is_renamed_and_changed_at_once(library: Library) -> None:
    batch = 'with op.batch_alter_table("books", schema=NAME) as batch:\n    batch.alter_column('
    await changed(library, f'{batch}"title", new_column_name="name", type_=sa.Text())')
    await changed(library, RENAMED)
    with pytest.raises(IntegrityError):
        await library.run(sa.update(library.table("books", "label")).values(label=""))
