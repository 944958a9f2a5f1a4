"""Start-up checks of the files of pages: templates and static files that are named are there."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from modhost.checks import Finding, rules
from modhost.web.rendering.shell import Page
from modhost.web.rendering.templates import HOST
from modhost.web.routing.module_web import ModuleWeb

_COMMENT: Final = re.compile(r"\{#.*?#\}|\{%-?\s*raw\b.*?\bendraw\b", re.DOTALL)
_OTHERS: Final = re.compile(
    r"""\{%-?\s*(?:extends|include|import|from)\s+["']([^"']+)["'](?!\s+ignore\b)"""
)
_STATIC: Final = re.compile(r"""\bstatic\(\s*["']([^"']+)["']\s*\)""")
_REMEDY: Final = "Correct the name, or let the wheel of the package include the file."
_UNREADABLE_REMEDY: Final = "Save the file as UTF-8, and let the host read it."


def check_templates(modules: Sequence[ModuleWeb]) -> list[Finding]:
    """Return a finding for each file that a page needs by a name that is written out, and lacks."""
    return [
        Finding(rules.MISSING_FILE, detail, remedy, module.name)
        for module in modules
        if module.name != HOST
        for detail, remedy in _missing(module)
    ]


def _missing(module: ModuleWeb) -> Iterator[tuple[str, str]]:
    """Yield what is missing or cannot be read, each with the remedy."""
    templates, static = module.folder("templates"), module.folder("static")
    handlers = sorted({declared.function.__module__ for declared in module.pages.declared})
    due = {name: user for each in handlers for name, user in _rendered_by(each)}
    seen = set(due)
    while due:
        name, user = due.popitem()
        file = _file(templates, name)
        if file is None:
            detail = f"{user} names the template {name!r}, and templates/ has no such file."
            yield detail, _REMEDY
            continue
        try:
            read, served = _named_in(file, file.stat().st_mtime_ns)
        except (OSError, UnicodeDecodeError) as error:
            yield f"{user} names the template {name!r}: {error}.", _UNREADABLE_REMEDY
            continue
        due |= dict.fromkeys(read - seen, f"the template {name!r}")
        seen |= read
        for each in served:
            if _file(static, each) is None:
                detail = f"the template {name!r} names {each!r}, and static/ has no such file."
                yield detail, _REMEDY


# A process that builds several hosts, as tests do, reads each template once.
@lru_cache(maxsize=1024)
def _named_in(template: Path, _changed_at: int) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the templates of its module that a template names, and the static files."""
    text = _COMMENT.sub("", template.read_text("utf-8"))
    read = frozenset(each for each in _OTHERS.findall(text) if not each.startswith(f"{HOST}/"))
    return read, tuple(_STATIC.findall(text))


def _file(folder: Path | None, name: str) -> Path | None:
    file = None if folder is None else folder / name
    return file if file is not None and file.is_file() else None


@cache
def _rendered_by(module: str) -> list[tuple[str, str]]:
    """Return the templates that a Python module's calls of `Page` name, each with its place."""
    code = sys.modules.get(module)
    if code is None or vars(code).get(Page.__name__) is not Page:
        return []
    try:
        tree = ast.parse(inspect.getsource(code))
    except (OSError, TypeError, SyntaxError):  # without its source
        return []
    calls = (each for each in ast.walk(tree) if isinstance(each, ast.Call))
    return [
        (template, f"line {call.lineno} of {module}")
        for call in calls
        if (template := _template_of(call)) and not template.startswith(f"{HOST}/")
    ]


def _template_of(call: ast.Call) -> str | None:
    """Return the template of a call of `Page`, if it is written out there."""
    if not isinstance(call.func, ast.Name) or call.func.id != Page.__name__:
        return None
    named = [each.value for each in call.keywords if each.arg == "template"]
    first = next(iter([*call.args, *named]), None)
    value = first.value if isinstance(first, ast.Constant) else None
    return value if isinstance(value, str) else None
