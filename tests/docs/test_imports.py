"""The imports of the pages exist."""

import ast
import importlib
import textwrap

import pytest

from docs.pages import all_pages, blocks


def imported() -> list[tuple[str, str]]:
    """Return the names that pages import from the host and its modules."""
    found = set()
    for path in all_pages():
        for code in blocks(path.read_text("utf-8"), "python"):
            try:
                tree = ast.parse(textwrap.dedent(code))
            except SyntaxError:  # a signature, or a part of a class
                continue
            found |= {
                (node.module, name.name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("modhost")
                for name in node.names
                if node.module is not None
            }
    return sorted(found)


@pytest.mark.parametrize(("module", "name"), imported())
def test_what_a_page_imports_is_there(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(module), name)


def test_pages_import_something() -> None:
    assert ("modhost_background_jobs.contracts", "ModuleJob") in imported()
