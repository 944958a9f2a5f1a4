"""Any names of modules, tables and columns work on both databases, and no value changes."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, select

from database.tables.library import library_of
from modhost.database import Database

pytestmark = pytest.mark.anyio

WORDS = ["order", "group", "user", "select", "main", "temp", "shop"]
CREATE = """
op.create_table("Order", sa.Column("id", sa.Integer(), primary_key=True),
                sa.Column("Select", sa.String()), schema=NAME)
op.create_table("group", sa.Column("id", sa.Integer(), primary_key=True),
                sa.Column("order", sa.Integer(), sa.ForeignKey(f"{NAME}.Order.id"),
                          nullable=False), schema=NAME)
op.create_index(f"ix_{NAME}_Select", "Order", ["Select"], schema=NAME)
"""
CHANGE = """
op.alter_column("group", "order", type_=sa.BigInteger(), existing_type=sa.Integer(),
                existing_nullable=False, schema=NAME)
op.add_column("Order", sa.Column("table", sa.Integer()), schema=NAME)
op.drop_index(f"ix_{NAME}_Select", "Order", schema=NAME)
"""


def foreign_keys(schema: str, connection: sa.Connection) -> Any:
    return sa.inspect(connection).get_foreign_keys("notes", schema=schema)


@pytest.mark.parametrize("name", WORDS)
async def test_words_of_sql_name_modules_tables_and_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str, name: str
) -> None:
    library = library_of(tmp_path, monkeypatch, empty_database_url, name)
    library.add(CREATE)
    await library.migrate()
    library.add(CHANGE)
    await library.migrate()
    orders = library.table("Order", "id", "Select", "table")
    groups = library.table("group", "id", "order")
    await library.run(sa.insert(orders).values({"id": 1, "Select": f"{name}.Order", "table": 2}))
    await library.run(sa.insert(groups).values({"id": 1, "order": 1}))
    with pytest.raises(IntegrityError):
        await library.run(sa.insert(groups).values({"id": 2, "order": 9}))
    joined = sa.select(orders.c.Select).join(groups, groups.c.order == orders.c.id)
    found = await library.sync(lambda connection: connection.execute(joined).scalar_one())
    assert found == f"{name}.Order"
    among = sa.select(orders.c.id).where(orders.c.id == groups.c.order)
    await library.run(sa.delete(groups).where(sa.exists(among)))


async def test_a_foreign_key_within_a_module_stays_there_whatever_others_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    key = 'sa.Column("id", sa.Integer(), primary_key=True)'
    for name in ("shop_order", "shop"):
        library = library_of(tmp_path, monkeypatch, empty_database_url, name)
        library.add(
            f'op.create_table("order_lines", {key}, schema=NAME)\n'
            f'op.create_table("notes", {key}, sa.Column("line", sa.Integer(), '
            'sa.ForeignKey(f"{NAME}.order_lines.id")), schema=NAME)'
        )
        await library.migrate()
        (found,) = await library.sync(partial(foreign_keys, name))
        assert (found["referred_schema"], found["referred_table"]) == (name, "order_lines")


async def test_a_foreign_key_refers_to_a_table_of_another_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    one = library_of(tmp_path, monkeypatch, empty_database_url, "one")
    one.add(
        'op.create_table("items", sa.Column("id", sa.Integer(), primary_key=True), schema=NAME)'
    )
    await one.migrate()
    other = library_of(tmp_path, monkeypatch, empty_database_url, "other")
    other.add(
        'op.create_table("parts", sa.Column("id", sa.Integer(), primary_key=True), '
        'sa.Column("item", sa.Integer(), sa.ForeignKey("one.items.id")), schema=NAME)'
    )
    await other.migrate()
    other.add('op.alter_column("parts", "item", nullable=False, schema=NAME)')
    await other.migrate()
    (key,) = await other.sync(
        lambda connection: sa.inspect(connection).get_foreign_keys("parts", schema="other")
    )
    assert (key["referred_schema"], key["referred_table"]) == ("one", "items")
    parts = other.table("parts", "id", "item")
    await one.run(sa.insert(one.table("items", "id")).values(id=1))
    await other.run(sa.insert(parts).values(id=1, item=1))
    with pytest.raises(IntegrityError):
        await other.run(sa.insert(parts).values(id=2, item=2))
    with pytest.raises(IntegrityError):
        await one.run(sa.delete(one.table("items", "id")))


class ReportsTable(SQLModel, registry=registry(metadata=sa.MetaData(schema="reports"))):
    pass


class Link(ReportsTable, table=True):
    __tablename__ = "links"

    id: int = Field(primary_key=True)
    url: str
    hits: int = 0


URL = "https://reports.example.org/a?b='reports.links' -- reports.x"


async def test_no_value_is_taken_for_a_table(empty_database_url: str) -> None:
    async with Database(empty_database_url).open() as database:
        async with database.session() as session:
            connection = await session.connection()
            if database.dialect == "postgresql":
                await connection.execute(sa.text("CREATE SCHEMA reports"))
            await connection.run_sync(ReportsTable.metadata.create_all)
            session.add(Link(id=1, url=URL))
            literal = sa.literal(URL, literal_execute=True)
            await connection.execute(sa.insert(Link).values(id=2, url=literal))
            table = "reports_links" if database.dialect == "sqlite" else "reports.links"
            written = URL.replace("'", "''")
            await connection.execute(
                sa.text(f"INSERT INTO {table} (id, url, hits) VALUES (3, '{written}', 0)")
            )
        async with database.reading() as session:
            assert set((await session.exec(select(Link.url))).all()) == {URL}


async def test_statements_of_every_kind_name_a_table_with_its_schema(
    empty_database_url: str,
) -> None:
    async with Database(empty_database_url).open() as database, database.session() as session:
        connection = await session.connection()
        if database.dialect == "postgresql":
            await connection.execute(sa.text("CREATE SCHEMA reports"))
        await connection.run_sync(ReportsTable.metadata.create_all)
        links = Link.__table__  # type: ignore[attr-defined]
        other = links.alias("other")

        async def run(statement: Any) -> list[Any]:
            found = await connection.execute(statement)
            return [tuple(row) for row in found] if found.returns_rows else []

        await run(
            sa.insert(links),
        ) if False else None
        assert await run(sa.insert(links).values(id=1, url="a", hits=1).returning(links.c.id)) == [
            (1,)
        ]
        upsert = (
            sqlite.insert(links) if database.dialect == "sqlite" else postgresql.insert(links)
        ).values(id=1, url="b", hits=5)
        await run(
            upsert.on_conflict_do_update(
                index_elements=["id"],
                set_={"hits": links.c.hits + upsert.excluded.hits},
                where=links.c.url == "a",
            )
        )
        assert await run(sa.select(links.c.hits, other.c.url).where(links.c.id == other.c.id)) == [
            (6, "a")
        ]
        among = sa.select(other.c.id).where(other.c.hits == links.c.hits)
        await run(sa.update(links).where(sa.exists(among)).values(url=links.c.url + "!"))
        chosen = sa.select(links).cte("chosen")
        assert await run(sa.select(chosen.c.url)) == [("a!",)]
        assert await run(sa.select(sa.func.count()).select_from(links.join(other, sa.true()))) == [
            (1,)
        ]
        await run(sa.delete(links).where(links.c.id.in_(sa.select(other.c.id))))
        assert (await session.exec(select(Link).where(col(Link.hits) > 0))).all() == []
