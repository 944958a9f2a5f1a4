"""Hook calls: one module at a time, in our order, after a check of each implementation."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import Any, Final

import pluggy

from modhost import Module
from modhost.calls.returned import awaited, is_generator
from modhost.checks import Finding, rules
from modhost.hooks import PROJECT, ModuleHooks
from modhost.module import HealthReport, ProcessReport
from modhost.permissions import Permission, Principal
from modhost.plugins.discovery import FoundModule

_SPECIFIED: Final = {
    name: inspect.signature(member)
    for name, member in vars(ModuleHooks).items()
    if not name.startswith("_")
}

_SEVERAL: Final = {
    "configure_permissions": Permission,
    "hosted_services": type,
    "diagnose": Finding,
    "report_processes": ProcessReport,
}
_RETURNED: Final[Mapping[str, type]] = {
    **_SEVERAL,
    "check_health": HealthReport,
    "authenticate": Principal,
}


class _Manager(pluggy.PluginManager):
    """Looks for hooks by their names alone: a module has many more attributes."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        return super().parse_hookimpl_opts(plugin, name) if name in _SPECIFIED else None


class HookCaller:
    """Calls the hooks of modules; `findings` has the hooks that cannot be called."""

    def __init__(self, modules: Sequence[FoundModule]) -> None:
        self._manager = _Manager(PROJECT)
        self._manager.add_hookspecs(ModuleHooks)
        self.findings: list[Finding] = []
        for found in modules:
            problems = _check(found)
            self.findings += problems
            if not problems:
                self._manager.register(found.module)

    def implements(self, found: FoundModule, hook: str) -> bool:
        """Return whether a module implements a hook."""
        implementations = getattr(self._manager.hook, hook).get_hookimpls()
        return any(each.plugin is found.module for each in implementations)

    def callers(
        self, hook: str, modules: Sequence[FoundModule]
    ) -> dict[str, Callable[..., object]]:
        """Return what calls a plain hook, by the name of each module that implements it."""
        return {
            found.module.name: partial(self.call, found, hook)
            for found in modules
            if self.implements(found, hook)
        }

    def call(self, found: FoundModule, hook: str, **arguments: object) -> Any:
        """Call one module's plain hook; return its result, None when it does not implement it.

        An exception of the hook is raised, `TypeError` for a result that is to be awaited, and
        `RuntimeError` where it would end the process.
        """
        result = self._call(found, hook, arguments)
        if inspect.isawaitable(result):
            if inspect.iscoroutine(result):
                result.close()
            raise TypeError("it returned a coroutine, which nobody awaits; write it with def")
        return _as_specified(hook, result)

    async def call_async(self, found: FoundModule, hook: str, **arguments: object) -> Any:
        """Do as `call`, for an async hook: await what it returns, if that can be awaited.

        Raises `TypeError` for a generator, of which nothing would run, else as `call`.
        """
        with _exits_refused():
            result = await awaited(self._call(found, hook, arguments))
        if is_generator(result):
            raise TypeError("it returned a generator, of which nothing runs; remove its `yield`")
        return _as_specified(hook, result)

    def _call(self, found: FoundModule, hook: str, arguments: Mapping[str, object]) -> Any:
        if not self.implements(found, hook):
            return None
        others = [each for each in self._manager.get_plugins() if each is not found.module]
        with _exits_refused():
            results = self._manager.subset_hook_caller(hook, others)(**arguments)
        return results[0] if results else None


@contextmanager
def _exits_refused() -> Iterator[None]:
    """Turn the end of the process that a module asks for into an error of its hook."""
    try:
        yield
    except SystemExit as error:
        msg = f"it called sys.exit({error.code!r}), which would end the host; let it raise an error"
        raise RuntimeError(msg) from error


def _as_specified(hook: str, result: Any) -> Any:
    """Return the result of a hook, that of one that returns several things as a list."""
    if result is None or hook not in _RETURNED:
        return result
    kind = _RETURNED[hook]
    if hook not in _SEVERAL:
        if isinstance(result, kind):
            return result
        raise TypeError(f"it returned {result!r}; let it return a {kind.__name__}")
    what = "a class" if kind is type else f"a {kind.__name__}"
    if not isinstance(result, Iterable) or isinstance(result, str):
        raise TypeError(f"it returned {result!r}; let it return a list, of which each is {what}")
    found = list(result)
    for each in found:
        if not isinstance(each, kind):
            raise TypeError(f"it returned {each!r} in its list, which is not {what}")
    return found


def _check(found: FoundModule) -> list[Finding]:
    findings = []
    for name in dir(type(found.module)):
        if name.startswith("_") or hasattr(Module, name):
            continue
        member = getattr(type(found.module), name, None)
        if not inspect.isroutine(member):
            continue
        if hasattr(member, f"{PROJECT}_impl"):
            if mismatch := _mismatch(name, member):
                findings.append(found.finding(rules.HOOK_MISMATCH, *mismatch))
        elif name in _SPECIFIED:
            detail = f"the method {name} would never be called."
            remedy = "Mark it with @hookimpl, or rename it."
            findings.append(found.finding(rules.UNMARKED_HOOK, detail, remedy))
    return findings


# A process that builds several hosts, as tests do, checks each method once.
@lru_cache(maxsize=256)
def _mismatch(name: str, member: Any) -> tuple[str, str] | None:
    """Return what is wrong with a marked method, and the remedy; None when nothing is."""
    specified = _SPECIFIED.get(name)
    if specified is None:
        similar = get_close_matches(name, _SPECIFIED, 1)
        hooks = ", ".join(_SPECIFIED)
        remedy = f"Did you mean {similar[0]}?" if similar else f"The hooks are {hooks}."
        return f"{name} is not a hook.", remedy
    allowed = [each for each in specified.parameters if each != "self"]
    written = [each for each in inspect.signature(member).parameters if each != "self"]
    unknown = [each for each in written if each not in allowed]
    if unknown:
        takes = f"takes {', '.join(allowed)}" if allowed else "takes nothing"
        return f"{name} asks for {', '.join(unknown)}.", f"The hook {takes}; name no others."
    is_async = inspect.iscoroutinefunction(getattr(ModuleHooks, name))
    if not is_async and inspect.iscoroutinefunction(member):
        return f"{name} must be written with def.", f"Write `def {name}`."
    if inspect.isgeneratorfunction(member) or inspect.isasyncgenfunction(member):
        return f"{name} has a `yield`: it would never run.", "Remove the `yield`, or return a list."
    return None


def hook_failed(found: FoundModule, hook: str, error: Exception) -> Finding:
    """Return the finding for a hook that raised."""
    detail = f"{hook} raised {type(error).__name__}: {str(error).removesuffix('.')}."
    remedy = "Fix the module, or leave it out by [host.modules] disabled."
    return found.finding(rules.HOOK_FAILED, detail, remedy)
