"""Write a project from templates: into a new folder, whole or not at all."""

import re
import shutil
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final

from modhost import new_id

_SUFFIX: Final = ".tmpl"
_NAMED: Final = re.compile("__(module|dashed)__")


class FolderTaken(ValueError):
    """The folder to write exists already."""


def write_project(folder: Path, values: Mapping[str, str], *templates: str) -> None:
    """Write the files of some templates into a new folder.

    Args:
        folder: which must not exist; the folders above it are made.
        values: what stands in the templates with a `$`, and in names of files as `__module__`.
        templates: folders beside this file; of files that two of them have, the first one's.

    Raises:
        FolderTaken: when something is there already; nothing is written.
        OSError: when the folder is not writable; nothing is left.

    """
    if folder.exists() or folder.is_symlink():
        msg = f"{folder} already exists. Name a folder that does not by --folder."
        raise FolderTaken(msg)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{new_id().hex}")
    try:
        for each in reversed(templates):
            _write(files("modhost.scaffolding") / "templates" / each, draft, values)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(source: Traversable, target: Path, values: Mapping[str, str]) -> None:
    target.mkdir(exist_ok=True)
    for each in source.iterdir():
        name = _NAMED.sub(lambda match: values[match[1]], each.name)
        if each.is_dir():
            _write(each, target / name, values)
        elif name.endswith(_SUFFIX):
            text = Template(each.read_text("utf-8")).substitute(values)
            (target / name.removesuffix(_SUFFIX)).write_text(text, "utf-8")
