"""Writing the files of a new module."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final

from modhost.scaffolding.naming import ModuleNames

_SUFFIX: Final = ".tmpl"
_PACKAGE: Final = "package"


class FolderTaken(ValueError):
    """Something is where the module was to be written."""


def write_module(names: ModuleNames, folder: Path) -> None:
    """Write an installable package into a new folder.

    Raises:
        FolderTaken: when there is something already; nothing is written then.
        OSError: when the folder cannot be written.

    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        msg = f"{folder} exists already. Name a folder that does not, by --folder."
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
            _write(
                each, target / (values["module"] if each.name == _PACKAGE else each.name), values
            )
        elif each.name.endswith(_SUFFIX):
            text = Template(each.read_text("utf-8")).substitute(values)
            (target / each.name.removesuffix(_SUFFIX)).write_text(text, "utf-8")
