"""Every hook is on the page, with its signature and an example that the host accepts."""

import ast
import inspect
import re

import pytest

from docs.pages import blocks, headings, page, section
from modhost.hooks import ModuleHooks

PAGE = page("modules/hooks.md")
HOOKS = {name: hook for name, hook in vars(ModuleHooks).items() if not name.startswith("_")}


def parameters(code: str, name: str) -> tuple[type[ast.AST], list[tuple[str, str]], str]:
    """Return the kind of a function in some code, its parameters with types, and its result."""
    (function,) = (
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    )
    named = [
        (each.arg, ast.unparse(each.annotation) if each.annotation else "")
        for each in function.args.args
    ]
    return type(function), named, ast.unparse(function.returns) if function.returns else ""


def test_every_hook_is_there_and_no_other() -> None:
    assert [heading for heading in headings(PAGE) if heading != "Hooks"] == list(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_its_signature_is_that_of_the_specification(name: str) -> None:
    shown = blocks(section(PAGE, name), "python")[0].strip() + ": ..."
    kind, named, result = parameters(shown, name)
    specified = inspect.signature(HOOKS[name])
    wanted = [
        (each.name, "" if each.name == "self" else inspect.formatannotation(each.annotation))
        for each in specified.parameters.values()
    ]
    assert [(parameter, plain(type_)) for parameter, type_ in named] == [
        (parameter, plain(type_)) for parameter, type_ in wanted
    ]
    assert plain(result) == plain(inspect.formatannotation(specified.return_annotation))
    assert (kind is ast.AsyncFunctionDef) == inspect.iscoroutinefunction(HOOKS[name])


@pytest.mark.parametrize("name", HOOKS)
def test_its_example_fits_the_specification(name: str) -> None:
    example = blocks(section(PAGE, name), "python")[1]
    kind, named, _ = parameters(example, name)
    assert {parameter for parameter, _ in named} <= set(inspect.signature(HOOKS[name]).parameters)
    assert (kind is ast.AsyncFunctionDef) == inspect.iscoroutinefunction(HOOKS[name])
    assert re.search(rf"@hookimpl\n(async )?def {name}\(", example)


def plain(annotation: str) -> str:
    """Return a type without its modules."""
    return re.sub(r"\w+\.(?=\w)", "", annotation.strip("'")).replace("NoneType", "None")
