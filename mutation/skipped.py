"""What is not changed, by rule, since no test should notice it."""

import ast
import re
from collections.abc import Iterator
from typing import Final

# How long, how often and how many at a time: tests inject them, or hold for any of them.
_TOLERANCES: Final = re.compile(
    r"SECONDS|TIMEOUT|PAUSE|INTERVAL|BATCH|_SIZE$|^MAX_|^MIN_|GRACE|FRAMES|SHARE|MANY_|LOCK|STALE_"
    r"|_AFTER$|_UNTIL$|^MERGED|^RECENT|^POSTPONED|^JITTER|_WAITS$|^UNLIMITED|^STRICT|LINES|FREED"
)
Range = tuple[tuple[int, int], tuple[int, int]]


def skipped_in(tree: ast.Module, *, tolerances: bool = True) -> list[Range]:
    """Return the places in a module that stay as they are.

    Those are docstrings, annotations, imports, decorators, base classes, log lines, the texts of
    errors, `TYPE_CHECKING`, and, with `tolerances`, constants that say how long or how many.
    """
    return [_range(node) for node in _skipped(tree, tolerances=tolerances)]


def _skipped(tree: ast.Module, *, tolerances: bool) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from node.decorator_list
                if node.returns:
                    yield node.returns
                arguments = node.args
                for argument in (
                    *arguments.posonlyargs,
                    *arguments.args,
                    *arguments.kwonlyargs,
                    arguments.vararg,
                    arguments.kwarg,
                ):
                    if argument is not None and argument.annotation is not None:
                        yield argument.annotation
            case ast.ClassDef():
                yield from node.decorator_list
                yield from node.bases
            case ast.AnnAssign():
                yield node.annotation
                if tolerances and _is_tolerance(node.target, node.value):
                    yield node
            case ast.Assign(targets=[target]) if tolerances and _is_tolerance(target, node.value):
                yield node
            case ast.Assign(targets=[ast.Name(id="msg" | "message" | "__all__")]):
                yield node
            case ast.AugAssign(target=ast.Name(id="msg" | "message")):
                yield node
            case ast.Import() | ast.ImportFrom():
                yield node
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                yield node
            case ast.Expr(value=ast.Constant(value=str())):
                yield node
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="logger")))):
                yield node
            case ast.Raise(exc=ast.Call(args=arguments)):
                yield from arguments


def _is_tolerance(target: ast.expr, value: ast.expr | None) -> bool:
    if not isinstance(target, ast.Name) or not _TOLERANCES.search(target.id.lstrip("_")):
        return False
    is_span = isinstance(value, ast.Call) and getattr(value.func, "id", "") == "timedelta"
    return is_span or isinstance(value, ast.Constant)


def _range(node: ast.AST) -> Range:
    assert isinstance(node, ast.expr | ast.stmt)
    return (
        (node.lineno, node.col_offset),
        (node.end_lineno or node.lineno, node.end_col_offset or 0),
    )
