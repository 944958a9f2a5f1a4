"""Calling hooks: one module at a time, in our order; pluggy checks what they look like."""

import inspect
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

import pluggy

from modhost.checks import Finding, Rule, rules
from modhost.hooks import PROJECT, ModuleHooks
from modhost.module import Module
from modhost.plugins.discovery import FoundModule

_SPECIFIED: Final = {
    name: inspect.signature(member)
    for name, member in vars(ModuleHooks).items()
    if not name.startswith("_")
}


class HookCaller:
    """Knows which hooks the modules implement. `findings` tells which of them cannot be called."""

    def __init__(self, modules: Sequence[FoundModule]) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(ModuleHooks)
        self.findings: list[Finding] = []
        for found in modules:
            problems = _check(found)
            self.findings += problems
            if not problems:
                self._manager.register(found.module)

    def implements(self, found: FoundModule, hook: str) -> bool:
        """Tell whether a module implements a hook."""
        callers = self._manager.get_hookcallers(found.module) or ()
        return any(caller.name == hook for caller in callers)

    def call(self, found: FoundModule, hook: str, **arguments: object) -> Any:
        """Call one module's hook; return its result, or None when it does not implement it.

        For an async hook the result is to be awaited. What the hook raises is raised.
        """
        if not self.implements(found, hook):
            return None
        others = [each for each in self._manager.get_plugins() if each is not found.module]
        results = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results[0] if results else None


def _check(found: FoundModule) -> list[Finding]:
    findings = []
    for name, member in inspect.getmembers(type(found.module), inspect.isroutine):
        if name.startswith("_") or hasattr(Module, name):
            continue
        marked = hasattr(member, f"{PROJECT}_impl")
        if marked:
            problem = _mismatch(name, member)
            if problem:
                detail, remedy = problem
                findings.append(_finding(rules.HOOK_MISMATCH, found, detail, remedy))
        elif name in _SPECIFIED:
            detail = f"the method {name} would never be called."
            remedy = "Mark it with @hookimpl, or rename it."
            findings.append(_finding(rules.UNMARKED_HOOK, found, detail, remedy))
    return findings


def _mismatch(name: str, member: Any) -> tuple[str, str] | None:
    """Return what is wrong with a marked method, and what to do; None when nothing is."""
    specified = _SPECIFIED.get(name)
    if specified is None:
        similar = get_close_matches(name, _SPECIFIED, 1)
        remedy = f"Did you mean {similar[0]}?" if similar else f"The hooks are {_listed()}."
        return f"{name} is no hook.", remedy
    allowed = [each for each in specified.parameters if each != "self"]
    written = [each for each in inspect.signature(member).parameters if each != "self"]
    unknown = [each for each in written if each not in allowed]
    if unknown:
        takes = f"takes {', '.join(allowed)}" if allowed else "takes nothing"
        return f"{name} asks for {', '.join(unknown)}.", f"The hook {takes}; name no others."
    is_async = inspect.iscoroutinefunction(getattr(ModuleHooks, name))
    if inspect.iscoroutinefunction(member) is not is_async:
        kind = "async def" if is_async else "def"
        return f"{name} must be written with {kind}.", f"Write `{kind} {name}`."
    return None


def _listed() -> str:
    return ", ".join(_SPECIFIED)


def _finding(rule: Rule, found: FoundModule, detail: str, remedy: str) -> Finding:
    return Finding(rule, detail, remedy, found.module.name, found.distribution)
