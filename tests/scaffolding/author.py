"""Somebody who writes a module with tables, and changes it."""

import gc
import sys
from pathlib import Path

import pytest
from click.testing import Result

from diagnosis.support import Doctor, install
from modhost import new_id
from modhost.database.migrations.histories import _history_of

MODELS = """
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import registry
from sqlmodel import Field, Relationship, SQLModel

from modhost import Module
from modhost.database import Identifier, UtcDateTime


class Base(SQLModel, registry=registry(metadata=sa.MetaData(schema="NAME"))):
    pass


class Author(Base, table=True):
    __tablename__ = "authors"
    id: UUID = Field(primary_key=True, sa_type=Identifier)
    name: str = Field(max_length=20, unique=True)


class Order(Base, table=True):
    id: UUID = Field(primary_key=True, sa_type=Identifier)
    label: str = Field(max_length=20)
    author_id: UUID = Field(foreign_key="NAME.authors.id", sa_type=Identifier)
    author: Author = Relationship()
MORE

class Acme(Module):
    name = "NAME"
    migrations = "acme_NAME.migrations"
"""


class Author:
    """Somebody who writes a module, and changes it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        self.name = f"acme{new_id().hex[-12:]}"
        self.package = folder / "installed" / f"acme_{self.name}"
        self.monkeypatch = monkeypatch
        install(folder, monkeypatch, self.name, self._source(MODELS))
        self.doctor = Doctor.of(folder, url)

    def change(self, models: str) -> None:
        """Write other models, as another version of the package has them."""
        (self.package / "__init__.py").write_text(self._source(models) + "\n" * len(models))
        for each in [each for each in sys.modules if each.startswith(self.package.name)]:
            self.monkeypatch.delitem(sys.modules, each)
        gc.collect()

    def migrated_to(self, models: str, title: str) -> str:
        """Change the models, write a revision and apply it; the doctor has to be content."""
        self.change(models)
        written = self.write(title)
        assert written.exit_code == 0, written.output
        self.doctor.migrate()
        assert self.doctor.findings(exits=0) == []
        (file,) = self.package.glob(f"migrations/versions/*_{title}.py")
        return file.read_text()

    def write(self, title: str) -> Result:
        _history_of.cache_clear()
        run = self.doctor.modhost("new", "migration", self.name, title)
        _history_of.cache_clear()
        return run

    def revision(self, name: str) -> str:
        return (self.package / "migrations" / "versions" / name).read_text()

    def _source(self, models: str) -> str:
        return models.replace("MORE", "").replace("NAME", self.name)
