"""Which tests run for a mutant: those that execute its lines, or what uses its constant."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from coverage import CoverageData

from mutation.mutants import Mutant

FAILED: Final = float("inf")
UNKNOWN_SECONDS: Final = 0.5
SOME_LINES: Final = 20
_TOPICS: Final = {
    "workflows": "/workflows/",
    "steps": "/steps/",
    "flow": "/flow/",
    "lanes": "/flow/",
    "limits": "/flow/",
    "pauses": "/flow/",
    "unique": "/flow/unique",
    "maintenance": "/maintenance/",
    "retention": "/maintenance/",
    "metrics": "/metrics/",
    "statistics": "/inspection/",
    "end_events": "/events/",
    "in_process": "/events/",
    "changing": "/changing/",
    "processes": "/worker/processes/",
    "growth": "/workflows/",
}
Lines = set[tuple[str, int]]


class Selection:
    """What `coverage run` with a context for each test has found, and how long each test took."""

    def __init__(self, root: Path, measured: Path) -> None:
        self._root = root
        self._tests: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._modules = {
            str(path.relative_to(root)): ast.parse(path.read_text()) for path in root.rglob("*.py")
        }
        for data in measured.glob("*/data*"):
            self._add(CoverageData(str(data)))
        self._durations: dict[str, float] = {}
        for file in measured.glob("*.xml"):
            self._durations |= _durations(file)

    def _add(self, data: CoverageData) -> None:
        data.read()
        for measured in data.measured_files():
            file = measured.partition(f"/{self._root.name}/")[2]
            for line, contexts in data.contexts_by_lineno(measured).items():
                self._tests[file, line] |= {each.partition("|")[0] for each in contexts if each}

    def of(self, mutant: Mutant, tests: Iterable[str]) -> list[str]:
        """Return the tests for a mutant; first quick ones that execute much of its file.

        Of those whose lines are not known, the ones that are named as its file or folder.
        """
        lines = self._lines(mutant.file, mutant.line)
        found = set().union(*(self._tests.get(each, ()) for each in lines))
        words = {word for word in _TOPICS if word in mutant.file}
        found |= {
            test
            for test in tests
            if test not in self._durations and any(_TOPICS[word] in test for word in words)
        }
        executed = Counter(
            test
            for (file, _), several in self._tests.items()
            if file == mutant.file
            for test in several
        )
        found = {test for test in found if self.seconds(test) < FAILED}

        def rank(test: str) -> float:
            return -(executed[test] or SOME_LINES) / (self.seconds(test) + 0.5)

        return sorted(found, key=rank)

    def seconds(self, test: str) -> float:
        """Return how long a test took."""
        return self._durations.get(test, UNKNOWN_SECONDS)

    def _lines(self, file: str, line: int) -> Lines:
        statement = _statement_at(self._modules[file], line)
        if statement is None:
            return set()
        if any(line in _span(each) for each in _functions(self._modules[file])):
            return {(file, _executed(self._modules[file], each)) for each in _head(statement)}
        return set(self._uses(file, statement, set()))

    def _uses(self, file: str, statement: ast.stmt, seen: set[str]) -> Iterator[tuple[str, int]]:
        """Find the lines of functions that use what a statement outside of them defines."""
        names = {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        if isinstance(statement, ast.ClassDef):
            names.add(statement.name)
        names -= seen
        seen |= names
        module = file.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
        for other, tree in self._modules.items():
            if other != file and not _imports(tree, module):
                continue
            for each in tree.body:
                if each is statement or names.isdisjoint(_names(each)):
                    continue
                if isinstance(each, ast.Assign | ast.AnnAssign):
                    yield from self._uses(other, each, seen)
                else:
                    for node in ast.walk(each):
                        if isinstance(node, ast.Name | ast.Attribute) and _name(node) in names:
                            yield other, _executed(tree, node.lineno)


def _durations(file: Path) -> Iterator[tuple[str, float]]:
    """Yield the tests with their seconds, those that failed with `FAILED`."""
    # Written by pytest itself a moment before.
    for case in ElementTree.parse(file).iter("testcase"):  # noqa: S314
        path = case.attrib["classname"].replace(".", "/")
        seconds = FAILED if list(case) else float(case.attrib["time"])
        yield f"{path}.py::{case.attrib['name']}", seconds


def _name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _names(statement: ast.stmt) -> set[str]:
    return {
        _name(each) for each in ast.walk(statement) if isinstance(each, ast.Name | ast.Attribute)
    }


def _imports(tree: ast.Module, module: str) -> bool:
    """Return whether a module is imported, or something from its package."""
    ends = (f".{module}", f".{module.rpartition('.')[0]}")
    return any(
        isinstance(node, ast.ImportFrom) and (node.module or "").endswith(ends)
        for node in ast.walk(tree)
    )


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _executed(tree: ast.Module, line: int) -> int:
    """Return the line itself, or the first of a function's body for one of its signature."""
    for function in _functions(tree):
        if function.lineno <= line < function.body[0].lineno:
            return function.body[-1].lineno
    return line


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _head(statement: ast.stmt) -> Iterable[int]:
    """Return the lines of a statement without the statements in it."""
    inner = [each for each in ast.walk(statement) if isinstance(each, ast.stmt)]
    first = min((each.lineno for each in inner if each is not statement), default=None)
    return range(statement.lineno, first) if first is not None else _span(statement)


def _statement_at(tree: ast.Module, line: int) -> ast.stmt | None:
    """Return the innermost statement at a line; outside of functions, the outermost."""
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and line in _span(node)]
    return min(around, key=lambda node: len(_span(node)), default=None)
