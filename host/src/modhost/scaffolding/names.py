"""The names that follow from the name of a new module, or of a new application."""

import keyword
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec

from modhost.plugins.discovery import GROUP, NAMING, is_usable_name


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
        if reason := _taken(name):
            msg = f"{name!r} cannot be the name of a new {kind}: it is {reason}. Choose another."
            raise UnusableName(msg)
        words = [word for word in name.split("_") if word]
        return cls(
            module=name,
            dashed="-".join(words),
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
        return "a keyword of Python"
    if name in sys.stdlib_module_names:
        return "a package of Python's standard library"
    if any(entry.name == name for entry in entry_points(group=GROUP)):
        return "the name of an installed module"
    found = find_spec(name)
    # A mere folder on the path has no origin and hides nothing.
    return None if found is None or found.origin is None else "an installed package"
