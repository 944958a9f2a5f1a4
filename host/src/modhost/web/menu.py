"""The navigation, made of the entries of all modules."""

from collections.abc import Iterable
from dataclasses import dataclass

from modhost.permissions import Anyone, Permission, Principal


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A link of the navigation, shown to those who have the permission.

    `description` is a sentence for the start page, where the link is a card.
    """

    module: str
    label: str
    path: str
    permission: Permission | Anyone
    description: str = ""

    def visible_to(self, principal: Principal | None) -> bool:
        """Tell whether the visitor, None for an anonymous one, may open the page."""
        if isinstance(self.permission, Anyone):
            return True
        return principal is not None and principal.may(self.permission)


class Menu:
    """Collects one module's entries."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.entries: list[MenuEntry] = []

    def add(
        self, label: str, path: str, permission: Permission | Anyone, description: str = ""
    ) -> None:
        """Add a link to a page; `path` is the whole path, e.g. `/admin/jobs`."""
        self.entries.append(MenuEntry(self.module, label, path, permission, description))


def current_entry(entries: Iterable[MenuEntry], path: str) -> MenuEntry | None:
    """Return the entry of the page at a path, or of the nearest page above it."""
    above = [entry for entry in entries if f"{path}/".startswith(f"{entry.path.rstrip('/')}/")]
    return max(above, key=lambda entry: len(entry.path), default=None)
