"""The page of the system."""

from typing import Final

from modhost.administration.system.contracts import SystemReader
from modhost.permissions import Permission
from modhost.web import ADMINISTRATION, Menu, Page, Pages

VIEW_SYSTEM: Final = Permission(
    "Host.ViewSystem", "See modules, processes and the configuration of the host"
)

_PATH: Final = "/admin/system"


def map_system_pages(pages: Pages) -> None:
    """Map the page."""
    pages.get(_PATH, show_system, permission=VIEW_SYSTEM)


def add_system_to_menu(menu: Menu) -> None:
    """Show the page in the navigation."""
    about = "Modules, processes, configuration, what is wrong."
    menu.add("System", _PATH, VIEW_SYSTEM, about, group=ADMINISTRATION, key="y")


async def show_system(system: SystemReader) -> Page:
    """Show the host."""
    return Page("modhost/system.html", {"system": await system.read()}, "System")
