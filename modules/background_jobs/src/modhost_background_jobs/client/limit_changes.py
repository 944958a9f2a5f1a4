"""What operators do to limits: set another number, or go back to that of the class."""

from typing import Final

from modhost.audit import AuditLog, recorded
from modhost.database import Database
from modhost_background_jobs.client.flow import actor
from modhost_background_jobs.contracts import InvalidFlow
from modhost_background_jobs.queue.limits import Limits, UnknownLimit

MAX_LIMIT: Final = 1_000_000


class LimitChanges:
    """Changes limits for all workers while they run; what is done is in the audit."""

    def __init__(self, database: Database, limits: Limits, audit: AuditLog) -> None:
        self._database = database
        self._limits = limits
        self._audit = audit

    async def set(self, name: str, limit: int | None) -> None:
        """Set the number of a limit, 1 to 1,000,000, or go back to the default by None.

        Raises `UnknownLimit`, and `InvalidFlow` for a number out of bounds.
        """
        if limit is not None and (type(limit) is not int or not 1 <= limit <= MAX_LIMIT):
            msg = f"The limit is {ascii(limit)[:60]}; give a whole number from 1 to "
            raise InvalidFlow(f"{msg}{MAX_LIMIT:,}, or none for the default of the class.")
        verb = "reset" if limit is None else "set"
        async with (
            recorded(self._audit, f"limits.{verb}", f"limit:{name}", UnknownLimit) as entry,
            self._database.session() as session,
        ):
            row = await self._limits.lock(session, name) if name.isprintable() else None
            if row is None:
                raise UnknownLimit(name, [each.name for each in await self._limits.all()])
            after = row.default_limit if limit is None else limit
            entry.detail = f"{row.limit} before, {after} now; the default is {row.default_limit}"
            await self._limits.override(session, name, limit, await actor())
            await entry.done_in(session)
        self._limits.wake()
