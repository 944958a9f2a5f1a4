"""What administrators see of settings: each with its value, and where that comes from."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from modhost.administration.settings.changes import SettingChanges
from modhost.administration.settings.declared import DeclaredSettings
from modhost.administration.settings.fields import SettingField, as_text, written
from modhost.administration.settings.live import LiveSettings
from modhost.administration.settings.table import SettingRow, SettingStore
from modhost.configuration.values import Origin


class SettingStatus(BaseModel):
    """A setting.

    `configured` is the value without the one that an administrator has set. `source` is the file,
    the environment variable or the person that the value comes from. `problem` says why the value
    that an administrator has set is not used.
    """

    module: str
    name: str
    label: str
    description: str
    value: Any
    origin: Literal["default", "file", "environment", "page"]
    source: str | None
    configured: Any
    changed_at: datetime | None
    problem: str | None


class SettingView(NamedTuple):
    """A setting, with the field that changes it."""

    status: SettingStatus
    field: SettingField

    @property
    def text(self) -> str:
        """The value as people write it."""
        return as_text(self.status.value)

    @property
    def configured_text(self) -> str:
        """The value of the configuration as people write it."""
        return as_text(self.status.configured)

    @property
    def can_be_reset(self) -> bool:
        """Whether an administrator has set it, whether that is used or not."""
        return self.status.changed_at is not None


class SettingsReader:
    """Reads the settings of all modules as they are in this moment."""

    def __init__(self, live: LiveSettings, store: SettingStore, changes: SettingChanges) -> None:
        self._live = live
        self._store = store
        self._changes = changes

    async def all(self) -> dict[str, list[SettingView]]:
        """Return all settings, by their modules; one statement."""
        if not self._live.declared:
            return {}
        rows = await self._store.rows()
        return {
            module: list(_views(declared, rows)) for module, declared in self._live.declared.items()
        }

    async def of_module(self, module: str) -> list[SettingView]:
        """Return the settings of a module. Raises `UnknownSetting`."""
        self._changes.find(module)
        return (await self.all())[module]

    async def find(self, module: str, name: str) -> SettingStatus:
        """Return one setting. Raises `UnknownSetting`."""
        self._changes.find(module, [name])
        return next(
            each.status for each in await self.of_module(module) if each.status.name == name
        )


def _views(
    declared: DeclaredSettings, rows: Mapping[tuple[str, str], SettingRow]
) -> Iterator[SettingView]:
    own = {name: row for (module, name), row in rows.items() if module == declared.module}
    effective = declared.effective({name: json.loads(row.value) for name, row in own.items()})
    for name, field in declared.fields.items():
        row, origin = own.get(name), declared.configured.origins.get(name, Origin("default"))
        is_stored = row is not None and name in effective.stored
        status = SettingStatus(
            module=declared.module,
            name=name,
            label=field.label,
            description=field.description,
            value=written(getattr(effective.values, name)),
            origin="page" if is_stored else origin.kind,
            source=(row.changed_by if row and is_stored else origin.name) or None,
            configured=written(getattr(declared.base, name)),
            changed_at=row.changed_at if row else None,
            problem=effective.problems.get(name),
        )
        yield SettingView(status, field)
