"""Beginning a module: an installable package, written from the templates beside this file."""

from modhost.scaffolding.naming import ModuleNames, UnusableModuleName
from modhost.scaffolding.writing import FolderTaken, write_module

__all__ = ["FolderTaken", "ModuleNames", "UnusableModuleName", "write_module"]
