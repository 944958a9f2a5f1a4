"""The names that follow from the name of a module."""

import keyword
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec

from modhost.plugins.discovery import GROUP, NAMING, is_usable_name


class UnusableModuleName(ValueError):
    """A name that no module can have, or that something else has already."""


@dataclass(frozen=True, slots=True)
class ModuleNames:
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
    def of(cls, name: str) -> "ModuleNames":
        """Return the names of a new module. Raises `UnusableModuleName` with a sentence."""
        if not is_usable_name(name):
            raise UnusableModuleName(f"{name!r} cannot be the name of a module. {NAMING}")
        if reason := _taken(name):
            msg = f"{name!r} cannot be the name of a new module: it is {reason}. Choose another."
            raise UnusableModuleName(msg)
        words = [word for word in name.split("_") if word]
        return cls(
            module=name,
            dashed="-".join(words),
            class_name="".join(word.capitalize() for word in words),
            title=" ".join(words).capitalize(),
        )


def _taken(name: str) -> str | None:
    """Return what has the name: its package would hide the other one, or be hidden by it."""
    if keyword.iskeyword(name):
        return "a word of Python's own"
    if name in sys.stdlib_module_names:
        return "a package of Python's own"
    if any(entry.name == name for entry in entry_points(group=GROUP)):
        return "the name of an installed module"
    found = find_spec(name)
    # A mere folder on the path has no origin and hides nothing.
    return None if found is None or found.origin is None else "an installed package"
