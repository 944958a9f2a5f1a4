"""Write a new module: the names that follow from its name, and its files from templates."""

import keyword
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final

from modhost.plugins.discovery import GROUP, NAMING, is_usable_name

_SUFFIX: Final = ".tmpl"


class UnusableModuleName(ValueError):
    """A name that no module can have, or that is taken."""


class FolderTaken(ValueError):
    """The folder to write exists already."""


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


def write_module(names: ModuleNames, folder: Path) -> None:
    """Write an installable package into a new folder.

    Raises:
        FolderTaken: when something is there already; nothing is written.
        OSError: when the folder is not writable.

    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        msg = f"{folder} already exists. Name a folder that does not by --folder."
        raise FolderTaken(msg) from None
    values = {
        "module": names.module,
        "dashed": names.dashed,
        "Class": names.class_name,
        "title": names.title,
    }
    _write(files("modhost.scaffolding") / "templates", folder, values)


def _write(source: Traversable, target: Path, values: dict[str, str]) -> None:
    target.mkdir(exist_ok=True)
    for each in source.iterdir():
        if each.is_dir():
            name = values["module"] if each.name == "package" else each.name
            _write(each, target / name, values)
        elif each.name.endswith(_SUFFIX):
            text = Template(each.read_text("utf-8")).substitute(values)
            (target / each.name.removesuffix(_SUFFIX)).write_text(text, "utf-8")


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
