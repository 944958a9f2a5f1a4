"""Write a new application: a project that is installed, run and deployed, with a first module."""

import importlib.metadata
from pathlib import Path

from modhost.scaffolding.names import Names
from modhost.scaffolding.writing import write_project


def write_app(names: Names, folder: Path) -> None:
    """Write a project into a new folder; its first module has the name of the application.

    Raises:
        FolderTaken: when something is there already; nothing is written.
        OSError: when the folder is not writable; nothing is left.

    """
    # Whatever works with this version works with the patches that follow.
    version = importlib.metadata.version("modhost")
    write_project(folder, {**names.values, "version": version}, "app", "module")
