"""Models are checked at start, and what is wrong is reported with its module."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from diagnosis.support import Doctor, install
from modhost import new_id

HEAD = """
import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel

from modhost import Module


class Base(SQLModel, registry=registry(metadata=sa.MetaData(schema="NAME"))):
    pass


class Acme(Module):
    name = "NAME"
"""
ITEM = """
class Item(Base, table=True):
    __tablename__ = "items"
    id: int = Field(primary_key=True)
    parts: list["Part"] = Relationship(back_populates="item")


class Part(Base, table=True):
    __tablename__ = "parts"
    id: int = Field(primary_key=True)
    item_id: int = Field(foreign_key="NAME.items.id")
    item: "Item" = Relationship(back_populates="parts")
"""


def names(*suffixes: str) -> list[str]:
    """Return names of modules that no other test has."""
    unique = new_id().hex[-10:]
    return [f"m{unique}{suffix}" for suffix in suffixes]


@pytest.fixture
def doctor(tmp_path: Path, sqlite_url: str) -> Doctor:
    return Doctor.of(tmp_path, sqlite_url)


def module(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, name: str, models: str) -> None:
    folder = doctor.config.parent / name
    install(folder, monkeypatch, name, (HEAD + models).replace("NAME", name))


def messages(doctor: Doctor, rule: str) -> list[str]:
    found = doctor.findings(exits=2)
    assert {each["code"] for each in found} == {rule}
    return [f"{each['module']} ({each['distribution']}): {each['message']}" for each in found]


def test_two_modules_have_classes_of_one_name(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in names("one", "two"):
        module(doctor, monkeypatch, name, ITEM)
    found = doctor.findings(exits=1)
    assert {each["code"] for each in found} == {"MH505"}


def test_a_model_that_cannot_be_configured_is_reported_with_its_module(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = names("one", "two")
    module(doctor, monkeypatch, one, ITEM)
    module(doctor, monkeypatch, two, ITEM.replace('list["Part"]', 'list["Prat"]'))
    (found,) = messages(doctor, "MH512")
    assert found.startswith(f"{two} (acme-{two}): acme_{two}.Item raised InvalidRequestError: ")
    assert "'Prat'" in found
    assert messages(doctor, "MH512") == [found]


def test_tables_of_two_schemas_have_one_name_in_a_file(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, order = names("", "_order")
    table = (
        'class Thing(Base, table=True):\n    __tablename__ = "{}"\n'
        "    id: int = Field(primary_key=True)\n"
    )
    module(doctor, monkeypatch, shop, table.format("order_items"))
    module(doctor, monkeypatch, order, table.format("items"))
    (found,) = messages(doctor, "MH511")
    assert f"the table {shop}.order_items of the module {shop} and " in found
    assert f"the table {order}.items of the module {order} have the same name" in found


def test_indexes_of_two_modules_have_one_name(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = names("one", "two")
    table = (
        'class Thing(Base, table=True):\n    __tablename__ = "things"\n'
        f'    __table_args__ = (sa.Index("ix_{one}_label", "label"),)\n'
        "    id: int = Field(primary_key=True)\n    label: str\n"
    )
    for name in (one, two):
        module(doctor, monkeypatch, name, table)
    (found,) = messages(doctor, "MH511")
    assert f"the index ix_{one}_label on {one}.things of the module {one}" in found
    assert f"the index ix_{one}_label on {two}.things of the module {two}" in found


def test_indexes_of_two_schemas_may_have_one_name_on_a_server(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor = Doctor.of(tmp_path, postgres_url)
    one, two = names("one", "two")
    table = (
        'class Thing(Base, table=True):\n    __tablename__ = "things"\n'
        f'    __table_args__ = (sa.Index("ix_{one}_label", "label"),)\n'
        "    id: int = Field(primary_key=True)\n    label: str\n"
    )
    for name in (one, two):
        module(doctor, monkeypatch, name, table)
    assert {each["code"] for each in doctor.findings(exits=1)} == {"MH505", "MH506"}


def test_a_foreign_key_to_a_table_of_no_module_is_reported(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one,) = names("one")
    wrong = ITEM.replace('foreign_key="NAME.items.id"', 'foreign_key="items.id"')
    module(doctor, monkeypatch, one, wrong)
    (found,) = messages(doctor, "MH512")
    assert "the column parts.item_id refers to items.id, and no module has a table items" in found


SHARED = """
import sys
import sqlalchemy as sa
from sqlmodel import Field, Relationship, SQLModel

from modhost import Module
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host


def models(name):
    class Item(SQLModel, table=True):
        __module__ = f"acme_{name}.tables"
        __tablename__ = "items"
        __table_args__ = {"schema": name}
        id: int = Field(primary_key=True)

    class Part(SQLModel, table=True):
        __module__ = f"acme_{name}.tables"
        __tablename__ = "parts"
        __table_args__ = {"schema": name}
        id: int = Field(primary_key=True)
        item_id: int = Field(foreign_key=f"{name}.items.id")
        item: "Item" = Relationship()

    return Item, Part


class One(Module):
    name = "one"


class Two(Module):
    name = "two"


kept = [models(name) for name in ("one", "two")]
url = f"sqlite:///{sys.argv[1]}/modhost.db"
try:
    build_host(Configuration({"host": {"database_url": url}}), "web", modules=[One(), Two()])
except StartupError as error:
    print(error)
"""


def test_modules_that_share_a_registry_are_reported(tmp_path: Path) -> None:
    """In a process of its own: a registry that all share does not recover."""
    command: Sequence[str | Path] = [sys.executable, "-c", SHARED, tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.stdout.startswith("MH512 Model cannot be used (module one, "), run.stderr
    assert "acme_one.tables.models.<locals>.Part raised" in run.stdout
    assert 'Multiple classes found for path "Item"' in run.stdout
    assert "shares its registry with the models of two, which are unusable until then" in run.stdout
    assert "let the tables of each module have one of their own" in run.stdout


WITHOUT_A_HOST = """
import sqlalchemy as sa
from modhost.testing import configure_models
from modhost.checks import StartupError
from acme_SHOP import Acme as Shop
from acme_CART import Acme as Cart, Item

if MODULES:
    configure_models(*MODULES)
print(sa.schema.CreateTable(Item.__table__))
"""


def without_a_host(doctor: Doctor, shop: str, cart: str, modules: str) -> str:
    source = WITHOUT_A_HOST.replace("SHOP", shop).replace("CART", cart).replace("MODULES", modules)
    folders = [str(doctor.config.parent / each / "installed") for each in (shop, cart)]
    run = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return run.stdout + run.stderr


def test_models_that_refer_to_other_modules_are_usable_without_a_host(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, cart = names("shop", "cart")
    things = """
class Thing(Base, table=True):
    __tablename__ = "things"
    id: int = Field(primary_key=True)
"""
    items = """
class Item(Base, table=True):
    __tablename__ = "items"
    id: int = Field(primary_key=True)
    thing_id: int = Field(foreign_key="SHOP.things.id")
    user_id: int = Field(foreign_key="modhost.users.id")
""".replace("SHOP", shop)
    module(doctor, monkeypatch, shop, things)
    module(doctor, monkeypatch, cart, items)
    assert "NoReferencedTableError" in without_a_host(doctor, shop, cart, "[]")
    assert f"no module has a table {shop}.things" in without_a_host(doctor, shop, cart, "[Cart()]")
    usable = without_a_host(doctor, shop, cart, "[Shop(), Cart()]")
    assert f"REFERENCES {shop}.things (id)" in usable
    assert "REFERENCES modhost.users (id)" in usable
