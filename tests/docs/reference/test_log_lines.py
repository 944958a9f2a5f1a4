"""The page about operations explains the log lines of the host and its queue."""

import ast
import re
from pathlib import Path

from docs.pages import ROOT, page, section

SOURCES = (ROOT / "host" / "src", ROOT / "modules" / "background_jobs" / "src")
LEVELS = ("info", "warning", "error", "exception")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def trees() -> list[ast.Module]:
    return [tree_of(path) for source in SOURCES for path in source.rglob("*.py")]


def texts(nodes: list[ast.Module]) -> set[str]:
    """Return every text of the sources, its placeholders as pages show them."""
    return {
        shown(node.value)
        for tree in nodes
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def logged(nodes: list[ast.Module]) -> set[str]:
    return {
        shown(node.args[0].value)
        for tree in nodes
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and isinstance(node.func.value, ast.Name)
        and "log" in node.func.value.id
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def shown(message: str) -> str:
    return re.sub(r"%[\d.]*[a-z]", "…", message)


def explained() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", section(page("operations.md"), "The log"), re.MULTILINE)


def test_every_line_that_is_explained_is_written() -> None:
    written = texts(trees())
    gone = [line for line in explained() if not any(text.startswith(line) for text in written)]
    assert gone == []


def test_every_line_that_is_written_is_explained() -> None:
    lines = explained()
    # Those of a start are on the screen already, and those of a second signal are its purpose.
    obvious = {
        "The tables of … are at revision ….",
        "The hook on_start of … failed.",
        "A hosted service did not start.",
        "…: stopping.",
        "Asked to stop again; exiting at once.",
    }
    unexplained = {text for text in logged(trees()) if not text.startswith(tuple(lines))}
    assert unexplained == obvious
