"""Start a module: an installable package, written from the templates beside this file."""

from modhost.scaffolding.new_module import (
    FolderTaken,
    ModuleNames,
    UnusableModuleName,
    write_module,
)

__all__ = ["FolderTaken", "ModuleNames", "UnusableModuleName", "write_module"]
