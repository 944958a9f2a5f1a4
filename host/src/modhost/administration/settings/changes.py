"""Changes of settings: set values, and go back to what the configuration says."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from modhost.administration.settings.declared import DeclaredSettings, InvalidSetting
from modhost.administration.settings.fields import as_text, written
from modhost.administration.settings.live import LiveSettings
from modhost.administration.settings.table import SettingStore
from modhost.audit import AuditLog
from modhost.caller import current_caller
from modhost.clock import Clock
from modhost.database import Database
from modhost.web import FieldError


class UnknownSetting(Exception):
    """There is no such setting, or no such module."""


class SettingChanges:
    """Changes settings for all processes of the host; what is done is in the audit."""

    def __init__(
        self,
        live: LiveSettings,
        store: SettingStore,
        database: Database,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._live = live
        self._store = store
        self._database = database
        self._audit = audit
        self._clock = clock

    def find(self, module: str, names: Collection[str] = ()) -> DeclaredSettings:
        """Return the settings of a module. Raises `UnknownSetting`, also for any of the names."""
        declared = self._live.declared.get(module)
        if declared is None:
            raise UnknownSetting(_unknown("module with settings", module, self._live.declared))
        for name in names:
            if name not in declared.fields:
                raise UnknownSetting(_unknown(f"setting of {module}", name, declared.fields))
        return declared

    async def set(self, module: str, given: Mapping[str, Any]) -> None:
        """Set values, all of them or none.

        Args:
            module: the name of the module.
            given: the values by the names of the settings: as JSON, or as people write them.

        Raises:
            UnknownSetting: there is no such module, or it has no such setting.
            InvalidSetting: with what is wrong with each value.

        """
        declared = self.find(module, given)
        async with self._database.session() as session:
            stored = await self._store.of_module(session, module)
            after = declared.changed(stored, given)
            before = declared.effective(stored).values
            caller = await current_caller()
            await self._store.write(
                session, module, after, self._clock.now(), caller.person or caller.id
            )
            for name, value in after.items():
                shown = _shown(written(getattr(before, name)))
                await self._audit.record(
                    "settings.set",
                    f"setting:{module}.{name}",
                    detail=f"{_shown(value)}; {shown} before",
                    session=session,
                )
        await self._live.reload()

    async def reset(self, module: str, name: str) -> None:
        """Go back to what the configuration says; nothing changes where that is in effect.

        Raises:
            UnknownSetting: there is no such module, or it has no such setting.
            InvalidSetting: the value of the configuration does not fit those of other settings.

        """
        declared = self.find(module, [name])
        async with self._database.session() as session:
            stored = await self._store.of_module(session, module)
            if name not in stored:
                return
            before = declared.effective(stored)
            after = declared.effective({key: stored[key] for key in before.stored - {name}})
            if after.problems:
                reason = next(iter(after.problems.values()))
                raise InvalidSetting([FieldError(name, f"Change the others first: {reason}")])
            await self._store.delete(session, module, [name])
            shown = [_shown(written(getattr(each.values, name))) for each in (after, before)]
            await self._audit.record(
                "settings.reset",
                f"setting:{module}.{name}",
                detail=f"{shown[0]}; {shown[1]} before",
                session=session,
            )
        await self._live.reload()


def _shown(value: Any) -> str:
    text = " ".join(as_text(value).split())
    return text if len(text) <= 200 else f"{text[:199]}…"


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    similar = get_close_matches(name, known, 1)
    names = ", ".join(sorted(known)) or "none"
    hint = f"Did you mean {similar[0]!r}?" if similar else f"There are: {names}."
    return f"There is no {what} {name!r}. {hint}"
