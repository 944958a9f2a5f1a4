"""The page, the API and the permission of the audit."""

from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from pydantic import Field

from modhost.audit.contracts import AuditPage, AuditReader, AuditSearch
from modhost.permissions import Permission
from modhost.web import ADMINISTRATION, Endpoints, Menu, Page, Pages, Query

VIEW_AUDIT: Final = Permission("Host.ViewAudit", "See who did what")

_PATH: Final = "/admin/audit"
_PAGE_SIZE: Final = 50


class ApiQuery(AuditSearch):
    """The query of the API; `page` is counted from 1."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=200)] = 20


class PageQuery(AuditSearch):
    """The query of the page; `before` is the entry to continue after."""

    before: UUID | None = None


def map_audit_endpoints(endpoints: Endpoints) -> None:
    """Map `GET /api/audit`."""
    endpoints.get("/api/audit", list_entries, permission=VIEW_AUDIT)


def map_audit_pages(pages: Pages) -> None:
    """Map the page."""
    pages.get(_PATH, show_entries, permission=VIEW_AUDIT, is_search=True)


def add_audit_to_menu(menu: Menu) -> None:
    """Show the page in the navigation."""
    menu.add("Audit", _PATH, VIEW_AUDIT, "Who did what, and when.", group=ADMINISTRATION, key="a")


async def list_entries(query: Query[ApiQuery], audit: AuditReader) -> AuditPage:
    """List who did what, newest first."""
    return await audit.page(query, query.page, query.page_size)


async def show_entries(query: Query[PageQuery], audit: AuditReader) -> Page:
    """Show who did what."""
    found = await audit.newest(query, _PAGE_SIZE + 1, query.before)
    shown = found[:_PAGE_SIZE]
    searched = query.model_dump(include={"actor", "action", "subject"}, exclude_none=True)
    context = {
        "entries": shown,
        "search": query,
        "older": _link(searched | {"before": shown[-1].id}) if len(found) > _PAGE_SIZE else None,
        "newest": _link(searched) if query.before is not None else None,
    }
    return Page("modhost/audit.html", context, "Audit")


def _link(query: dict[str, object]) -> str:
    return f"{_PATH}?{urlencode(query)}" if query else _PATH
