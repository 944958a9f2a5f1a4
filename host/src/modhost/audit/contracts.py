"""The contracts of the audit: `AuditLog` writes entries, `AuditReader` reads them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.caller import Caller


class Outcome(StrEnum):
    """How an action ended."""

    DONE = "done"
    REFUSED = "refused"
    """A rule or a missing permission forbade it."""
    FAILED = "failed"
    """It went wrong, or the caller proved nothing, e.g. by a wrong password."""


class AuditEntry(BaseModel):
    """One entry; `address` is where the request came from, None without one."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    address: str | None
    action: str
    subject: str
    outcome: Outcome
    detail: str


class AuditSearch(BaseModel):
    """Filters, each matched exactly; `actor` is the id or the name of an actor."""

    actor: Annotated[str | None, Field(max_length=200)] = None
    action: Annotated[str | None, Field(max_length=200)] = None
    subject: Annotated[str | None, Field(max_length=200)] = None


class AuditPage(BaseModel):
    """One page of the entries, the newest first."""

    items: list[AuditEntry]
    total_count: int
    page: int
    page_size: int


class AuditLog(Protocol):
    """Write entries."""

    async def record(
        self,
        action: str,
        subject: str = "",
        *,
        outcome: Outcome = Outcome.DONE,
        detail: str = "",
        session: AsyncSession | None = None,
        caller: Caller | None = None,
    ) -> None:
        """Append an entry about the current caller.

        Args:
            action: `<things>.<verb>`, e.g. `jobs.cancel`.
            subject: the object of the action, e.g. `job:0199…` or `user:vera`, up to 500
                characters; empty by default.
            outcome: how the action ended; done by default.
            detail: a short sentence without secrets, up to 500 characters; empty by default.
            session: makes the entry part of the session's transaction: it exists exactly if that
                commits. By default, the entry is written in a transaction of its own.
            caller: instead of the current one, e.g. a user who has just logged in.

        """


class AuditReader(Protocol):
    """Read entries."""

    async def newest(
        self, search: AuditSearch, limit: int, before: UUID | None = None
    ) -> Sequence[AuditEntry]:
        """Return the newest entries, by the index.

        Args:
            search: the filters.
            limit: how many entries at most.
            before: the id of an entry; only older ones are returned. None by default.

        """

    async def about(self, subjects: Collection[str], limit: int) -> Sequence[AuditEntry]:
        """Return the newest entries about several things, by the index.

        Args:
            subjects: what they are about, e.g. `job:0199…`; none finds nothing.
            limit: how many entries at most, of all of them together.

        """

    async def page(self, search: AuditSearch, page: int, page_size: int) -> AuditPage:
        """Return a page of the entries, and how many entries there are on all pages.

        Args:
            search: the filters.
            page: the number of the page, from 1.
            page_size: how many entries a page has.

        """
