"""Modules: found as installed packages, ordered, and called by their hooks."""

from modhost.plugins.discovery import FoundModule, SkippedModule, find_modules
from modhost.plugins.hook_calls import HookCaller, hook_failed
from modhost.plugins.module_selection import choose_modules

__all__ = [
    "FoundModule",
    "HookCaller",
    "SkippedModule",
    "choose_modules",
    "find_modules",
    "hook_failed",
]
