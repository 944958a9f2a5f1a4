"""The page about operations says what each failure means that is tried again."""

import ast
from collections.abc import Iterator

from docs.pages import page, section
from docs.reference.test_log_lines import trees


def constants(tree: ast.Module) -> dict[str, str]:
    """Return the texts that a file gives names."""
    return {
        node.target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def reported(tree: ast.Module) -> Iterator[str]:
    """Yield what `failures.failed` is given, and the attribute `failure` of hosted services."""
    named = constants(tree)
    for node in ast.walk(tree):
        value: ast.expr | None = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "failures.failed":
            value = node.args[1]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "failure":
            value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value
        elif isinstance(value, ast.Name) and value.id in named:
            yield named[value.id]


def test_every_failure_is_explained() -> None:
    rows = section(page("operations.md"), "What is tried again").splitlines()
    explained = " ".join(row.split("|")[1] for row in rows if row.startswith("| ")).lower()
    names = {name for tree in trees() for name in reported(tree)}
    assert len(names) > 20
    assert {name for name in names if name.lower() not in explained} == set()
