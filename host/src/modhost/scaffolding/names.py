"""The names that follow from the name of a new module, or of a new application."""

import keyword
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec

from modhost.configuration import Configuration
from modhost.plugins.discovery import GROUP, NAMING, find_modules, is_usable_name
from modhost.plugins.module_selection import OIDC
from modhost.runtime.assembly import build_host


class UnusableName(ValueError):
    """A name that no module can have, or that is taken."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one module, e.g. `stock_lists`, `stock-lists`, `StockLists`, `Stock lists`.

    Args:
        module: of the module, its package and its schema in the database.
        dashed: of the distribution, and in paths.
        class_name: what classes and permissions begin with.
        title: what people read.

    """

    module: str
    dashed: str
    class_name: str
    title: str

    @classmethod
    def of(cls, name: str, kind: str = "module") -> "Names":
        """Return the names of something new. Raises `UnusableName` with a sentence."""
        if not is_usable_name(name):
            raise UnusableName(f"{name!r} cannot be the name of a new {kind}. {NAMING}")
        words = [word for word in name.split("_") if word]
        dashed = "-".join(words)
        if reason := _taken(name) or _taken_path(dashed):
            msg = f"{name!r} cannot be the name of a new {kind}: {reason}. Choose another."
            raise UnusableName(msg)
        return cls(
            module=name,
            dashed=dashed,
            class_name="".join(word.capitalize() for word in words),
            title=" ".join(words).capitalize(),
        )

    @property
    def values(self) -> dict[str, str]:
        """What templates are filled with."""
        return {
            "module": self.module,
            "dashed": self.dashed,
            "Class": self.class_name,
            "title": self.title,
        }


def _taken(name: str) -> str | None:
    """Return what has the name already: one of the two packages would hide the other."""
    if keyword.iskeyword(name):
        return "it is a keyword of Python"
    if name in sys.stdlib_module_names:
        return "it is a package of Python's standard library"
    if any(entry.name == name for entry in entry_points(group=GROUP)):
        return "it is the name of an installed module"
    found = find_spec(name)
    # A mere folder on the path has no origin and hides nothing.
    return None if found is None or found.origin is None else "it is an installed package"


def _taken_path(dashed: str) -> str | None:
    """Return who serves what the module would: the host would refuse to start with both."""
    if dashed == OIDC:
        return "the host has a module of that name"
    own = build_host(Configuration(), "command", modules=[])
    served = [declared.path for web in own.web for declared in web.declared]
    modules = find_modules().modules
    for prefix in (f"/{dashed}", f"/api/{dashed}"):
        if any(f"{path}/".startswith(f"{prefix}/") for path in served):
            return f"the host serves {prefix} itself"
        for found in modules:
            if prefix in (found.module.route_prefix, found.module.view_prefix):
                return f"{prefix} is a prefix of the installed module {found.module.name}"
    return None
