"""The values of settings that administrators have set, one a row."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import MetaData, delete
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database, UtcDateTime

_READ: Final = {
    "sqlite": "SELECT module, name, value FROM modhost_settings ORDER BY module, name",
    "postgresql": "SELECT module, name, value FROM modhost.settings ORDER BY module, name",
}

Values = Mapping[str, Mapping[str, Any]]
"""What is stored, by module and by name, as JSON."""


class SettingsTable(SQLModel, registry=registry(metadata=MetaData(schema="modhost"))):
    """Base of the table of settings, in a registry of its own."""


class SettingRow(SettingsTable, table=True):
    """A value that an administrator has set; without a row the configuration decides."""

    __tablename__ = "settings"

    module: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str
    """As JSON."""
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str


class SettingStore:
    """Reads the stored values of all modules, and writes those of one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int | None:
        """Return a number that differs once anything was written, which SQLite has at no cost."""
        is_sqlite = self._database.dialect == "sqlite"
        return self._database.sqlite.data_version() if is_sqlite else None

    async def read(self, timeout: float | None = None) -> Values:
        """Read all values by one statement; `timeout`, in seconds, bounds the wait for a server."""
        statement = _READ[self._database.dialect]
        if self._database.dialect == "sqlite":
            rows = await self._database.sqlite.fetch(statement)
        else:
            rows = await self._database.postgres.fetch(statement, timeout=timeout)
        found: dict[str, dict[str, Any]] = {}
        for module, name, value in rows:
            found.setdefault(module, {})[name] = json.loads(value)
        return found

    async def rows(self) -> dict[tuple[str, str], SettingRow]:
        """Return all rows, by module and name."""
        async with self._database.reading() as session:
            return {(row.module, row.name): row for row in await session.exec(select(SettingRow))}

    async def of_module(self, session: AsyncSession, module: str) -> dict[str, Any]:
        """Return the values of one module, by name."""
        found = await session.exec(select(SettingRow).where(SettingRow.module == module))
        return {row.name: json.loads(row.value) for row in found}

    async def write(
        self,
        session: AsyncSession,
        module: str,
        values: Mapping[str, Any],
        changed_at: datetime,
        changed_by: str,
    ) -> None:
        """Insert or replace values."""
        for name, value in values.items():
            row = SettingRow(
                module=module,
                name=name,
                value=json.dumps(value),
                changed_at=changed_at,
                changed_by=changed_by,
            )
            await session.merge(row)

    async def delete(self, session: AsyncSession, module: str, names: Collection[str]) -> None:
        """Delete values, whether they are there or not."""
        is_it = (col(SettingRow.module) == module, col(SettingRow.name).in_(names))
        await (await session.connection()).execute(delete(SettingRow).where(*is_it))
