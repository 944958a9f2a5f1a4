"""Find the errors that functions raise, by following their calls through the source.

Followed are calls of functions and classes by name, of methods of `self`, and of methods of an
attribute whose class an annotation of the constructor names. Methods of protocols raise what their
docstring says.
"""

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, get_type_hints

from modhost.identity import errors as identity_errors
from modhost_background_jobs.contracts import errors as jobs_errors
from modhost_reports_example import contracts as reports_errors

SECTION: Final = "Raises:"


def documented(docstring: str, section: str) -> set[str]:
    """Return the names that a section of a docstring describes."""
    lines = iter(inspect.cleandoc(docstring).splitlines())
    if section not in lines:
        return set()
    names = set()
    for line in lines:
        if line and not line.startswith("    "):
            break
        name, colon, meaning = line.strip().partition(": ")
        if line[4:5] != " " and colon and meaning:
            names.add(name)
    return names


def raised(function: Callable[..., Any], owner: type | None) -> set[type[Exception]]:
    """Return the errors of contracts that a function, or a method of a class, raises."""
    return set(_Raised(function, owner, frozenset()).found())


@cache
def _tree_of(function: Callable[..., Any]) -> ast.stmt:
    return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]


class _Raised:
    def __init__(
        self, function: Callable[..., Any], owner: Any, callers: frozenset[Callable[..., Any]]
    ) -> None:
        self._namespace: dict[str, Any] = vars(sys.modules[function.__module__])
        self._owner = owner
        self._path = callers | {function}
        self._tree = _tree_of(function)

    def found(self) -> Iterator[type[Exception]]:
        return self._in(self._tree)

    def _in(self, node: ast.AST) -> Iterator[type[Exception]]:
        if isinstance(node, ast.Try):
            handlers = [each for each in node.handlers if not _raises_again(each)]
            caught = tuple(each for handler in handlers for each in self._classes(handler.type))
            for statement in node.body:
                yield from (each for each in self._in(statement) if not issubclass(each, caught))
            for below in (*node.handlers, *node.orelse, *node.finalbody):
                yield from self._in(below)
            return
        if isinstance(node, ast.Raise) and node.exc is not None:
            value = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            yield from (each for each in self._classes(value) if each in errors().values())
        if isinstance(node, ast.Call):
            yield from self._of_call(node.func)
        for below in ast.iter_child_nodes(node):
            yield from self._in(below)

    def _classes(self, node: ast.expr | None) -> list[type[Exception]]:
        nodes = node.elts if isinstance(node, ast.Tuple) else [node]
        found = (self._target(each) for each in nodes if each is not None)
        return [each for each in map(_returned, found) if is_error(each)]

    def _of_call(self, called: ast.expr) -> Iterator[type[Exception]]:
        owner = None
        if isinstance(called, ast.Attribute) and (owner := self._class_of(called.value)):
            target = getattr(owner, called.attr, None)
        else:
            target = self._target(called)
        target = inspect.unwrap(getattr(target, "__func__", target)) if target else None
        if not inspect.isfunction(target) or target in self._path:
            return
        if not target.__module__.startswith("modhost"):
            return
        if is_protocol(owner):
            yield from (errors()[name] for name in documented(target.__doc__ or "", SECTION))
        else:
            yield from _Raised(target, owner, self._path).found()

    def _class_of(self, node: ast.expr) -> Any:
        """Return the class of an object, or the class itself, or None when it is not plain."""
        match node:
            case ast.Name(id="self"):
                return self._owner
            case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if self._owner:
                hints = get_type_hints(self._owner.__init__)
                return hints.get(attribute.removeprefix("_"))
            case ast.Name():
                found = self._namespace.get(node.id)
                return found if isinstance(found, type) else None
        return None

    def _target(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return getattr(self._namespace.get(node.value.id), node.attr, None)
        if isinstance(node, ast.Name):
            return self._namespace.get(node.id, getattr(builtins, node.id, None))
        return None


def _raises_again(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))


def _returned(target: Any) -> Any:
    """Return the class that a function makes, so that `raise invalid(text)` is understood."""
    return get_type_hints(target).get("return") if inspect.isfunction(target) else target


@cache
def errors() -> dict[str, type[Exception]]:
    """Return the errors that callers of a contract may handle, by name."""
    modules = (identity_errors, jobs_errors, reports_errors)
    found = (item for module in modules for item in vars(module).items())
    return {name: value for name, value in found if is_error(value)} | {
        "TimeoutError": TimeoutError
    }


def is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def is_protocol(owner: Any) -> bool:
    return bool(getattr(owner, "_is_protocol", False))
