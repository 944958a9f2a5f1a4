"""Two modules as the documentation has them: classes of one name, words of SQL, foreign keys."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from diagnosis.support import Doctor, install
from modhost.database.migrations.histories import _history_of
from modhost.testing import running_host

ORDER = '''
from sqlalchemy import MetaData
from sqlalchemy.orm import registry, selectinload
from sqlmodel import Field, Relationship, SQLModel, select

from modhost import ANYONE, Module, hookimpl
from modhost.database import Database
from modhost.web import Endpoints


class OrderTable(SQLModel, registry=registry(metadata=MetaData(schema="order"))):
    """Base of this module's tables, with a registry of their own."""


class Group(OrderTable, table=True):
    id: int = Field(primary_key=True)
    select: str


class Order(OrderTable, table=True):
    __tablename__ = "Order"

    id: int = Field(primary_key=True)
    group_id: int = Field(foreign_key="order.group.id")
    items: list["Item"] = Relationship(back_populates="order")


class Item(OrderTable, table=True):
    id: int = Field(primary_key=True)
    order_id: int = Field(foreign_key="order.Order.id", index=True)
    table: str = Field(max_length=LENGTH)
    order: Order = Relationship(back_populates="items")


async def show(database: Database) -> list[str]:
    """Store an order, and return the items of all."""
    async with database.session() as session:
        if await session.get(Order, 1) is None:
            session.add(Group(id=1, select="order.Order"))
            await session.flush()
            session.add(Order(id=1, group_id=1, items=[Item(id=1, table="order.item")]))
    async with database.reading() as session:
        loaded = select(Order).options(selectinload(Order.items))
        return [item.table for each in (await session.exec(loaded)).all() for item in each.items]


class Acme(Module):
    name = "order"
    route_prefix = "/api/order"
    migrations = "acme_order.migrations"

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/", show, permission=ANYONE)
'''
MARKET = '''
from sqlalchemy import MetaData
from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel, select

from modhost import ANYONE, Module, hookimpl
from modhost.database import Database
from modhost.web import Endpoints


class MarketTable(SQLModel, registry=registry(metadata=MetaData(schema="market"))):
    """Base of this module's tables, with a registry of their own."""


class Item(MarketTable, table=True):
    __tablename__ = "items"

    id: int = Field(primary_key=True)
    group_id: int = Field(foreign_key="order.group.id")
    parts: list["Part"] = Relationship(back_populates="item")


class Part(MarketTable, table=True):
    __tablename__ = "parts"

    id: int = Field(primary_key=True)
    item_id: int = Field(foreign_key="market.items.id")
    url: str
    item: "Item" = Relationship(back_populates="parts")


async def show(database: Database) -> list[str]:
    """Store an item with a part, and return the addresses of all parts."""
    async with database.session() as session:
        if await session.get(Item, 1) is None:
            session.add(Item(id=1, group_id=1, parts=[Part(id=1, url="https://market.items/a")]))
    async with database.reading() as session:
        return list((await session.exec(select(Part.url).join(Item))).all())


class Acme(Module):
    name = "market"
    route_prefix = "/api/market"
    requires = ("order",)
    migrations = "acme_market.migrations"

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/", show, permission=ANYONE)
'''


@pytest.fixture
def folder(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Where both modules are installed, once there is a database without their tables."""
    install(tmp_path / "order", monkeypatch, "order", ORDER.replace("LENGTH", "10"))
    install(tmp_path / "market", monkeypatch, "market", MARKET)
    yield tmp_path
    forget()


def forget() -> None:
    """Let the packages be imported anew."""
    _history_of.cache_clear()
    for name in [each for each in sys.modules if each.startswith(("acme_order", "acme_market"))]:
        del sys.modules[name]
    gc.collect()


async def answers(database_url: str) -> list[Any]:
    from acme_market import Acme as Market  # type: ignore[import-not-found]
    from acme_order import Acme as Order  # type: ignore[import-not-found]

    config = {"host": {"database_url": database_url}}
    async with running_host([Order(), Market()], config=config) as host:
        client = await host.client()
        paths = ("/api/order", "/api/market", "/api/order")
        login = await client.post("/login", data={"name": "nobody", "password": "wrong"})
        assert login.status_code < 500
        return [(await client.get(path)).json() for path in paths]


def test_they_are_written_changed_and_used(folder: Path, empty_database_url: str) -> None:
    doctor = Doctor.of(folder, empty_database_url)
    for module in ("order", "market"):
        write_revision(doctor, module)
    doctor.migrate()
    assert doctor.findings(exits=0) == []
    expected = [["order.item"], ["https://market.items/a"], ["order.item"]]
    assert anyio.run(answers, empty_database_url) == expected

    package = folder / "order" / "installed" / "acme_order"
    (package / "__init__.py").write_text(ORDER.replace("LENGTH", "1000"))
    forget()
    write_revision(doctor, "order")
    second = (package / "migrations" / "versions" / "0002_change.py").read_text()
    assert "op.alter_column('item', 'table'," in second
    doctor.migrate()
    assert doctor.findings(exits=0) == []
    assert anyio.run(answers, empty_database_url) == expected


def write_revision(doctor: Doctor, module: str) -> None:
    run = doctor.modhost("new", "migration", module, "Change")
    assert run.exit_code == 0, run.output
    _history_of.cache_clear()
