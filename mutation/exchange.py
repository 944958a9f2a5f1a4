"""Put a change into modules that are imported already: the code of functions, and statements."""

import ast
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final

PACKAGE: Final = "modhost_background_jobs"


def can_exchange(source: str, line: int) -> bool:
    """Return whether a line is in the body of a function."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body[0].lineno <= line <= (node.end_lineno or 0)
        for node in ast.walk(ast.parse(source))
    )


def exchange(root: Path, file: str, changed: str, line: int) -> bool:
    """Apply a change of a file to the modules; False where it has to be imported anew."""
    done = False
    if can_exchange((root / file).read_text(), line):
        path = str(root.resolve() / file)
        codes = {code.co_qualname: code for code in _outermost(compile(changed, path, "exec"))}
        gc.unfreeze()
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename == path:
                new = codes.get(each.__code__.co_qualname)
                if new is not None and new.co_freevars == each.__code__.co_freevars:
                    each.__code__ = new
                    done = True
    # Some functions make statements when they are imported.
    if file.startswith("storage/") and (not done or file.endswith("statements.py")):
        done |= _exchange_texts(root, file, changed)
    return done


def _outermost(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of functions that are not in others."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_flags & 0x02:  # It has local variables of its own: no body of a class.
                yield each
            else:
                yield from _outermost(each)


def _exchange_texts(root: Path, file: str, changed: str) -> bool:
    """Give all statements the text they have with the change, also those made of others."""
    texts: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        path = Path(module.__file__ or "") if name.startswith(PACKAGE) else Path()
        is_changed = path == root.resolve() / file
        if not is_changed and not path.name.endswith(("statements.py", "columns.py")):
            continue
        source = changed if is_changed else path.read_text()
        now = {"__name__": name, "__package__": name.rpartition(".")[0]}
        exec(compile(source, str(path), "exec"), now)  # noqa: S102 - it is our own source
        for key, value in now.items():
            old = vars(module).get(key)
            if isinstance(value, str) and isinstance(old, str) and old != value:
                texts[old] = value
        _replace(texts)
    return bool(texts)


def _replace(texts: dict[str, str]) -> None:
    for name, module in list(sys.modules.items()):
        if name.startswith(PACKAGE):
            for key, value in list(vars(module).items()):
                if isinstance(value, str) and value in texts and not key.startswith("__"):
                    setattr(module, key, texts[value])
