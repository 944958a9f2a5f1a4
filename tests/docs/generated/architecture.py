"""Draw the packages and their layers from the import contracts and the imports themselves."""

import ast
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import grimp

from docs.pages import ROOT

PACKAGES: Final = ("modhost_reports_example", "modhost_background_jobs", "modhost")
_WIDTH: Final = 380
_GAP: Final = 20
_HEIGHT: Final = 34
_TOP: Final = 48
_STYLE: Final = """
  rect { fill: #eef2f8; stroke: #9fb0c8 }
  text { font: 12px ui-monospace, monospace; fill: #1a1f28; text-anchor: middle }
  .package { font-weight: bold }
  .note { font: 12px system-ui, sans-serif; fill: #5b6675 }
  @media (prefers-color-scheme: dark) {
    rect { fill: #232a35; stroke: #4a5566 }
    text { fill: #e4e9f0 }
    .note { fill: #a3adba }
  }
"""


@cache
def layers(package: str) -> list[list[str]]:
    """Return the layers of a package from the top, each with its folders and files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (
        each
        for each in project["tool"]["importlinter"]["contracts"]
        if each["type"] == "layers" and each["containers"] == [package]
    )
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def picture() -> str:
    """Return the layers of all packages side by side, as SVG."""
    height = _TOP + max(len(layers(package)) for package in PACKAGES) * _HEIGHT
    width = len(PACKAGES) * (_WIDTH + _GAP) - _GAP
    drawn = [
        shape
        for number, package in enumerate(PACKAGES)
        for shape in _column(package, number * (_WIDTH + _GAP), height)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            "<title>The packages and their layers: imports go down and to the right</title>",
            f"<style>{_STYLE}</style>",
            *drawn,
            "</svg>\n",
        ]
    )


def _column(package: str, left: int, height: int) -> list[str]:
    shapes = [
        f'<text class="package" x="{left + _WIDTH / 2:g}" y="18">{package}</text>',
        f'<text class="note" x="{left + _WIDTH / 2:g}" y="36">{_imported_by(package)}</text>',
    ]
    for row, names in enumerate(reversed(layers(package)), 1):
        x, top = float(left), height - row * _HEIGHT
        for name in names:
            width = (_WIDTH + 6) * (len(name) + 2) / sum(len(each) + 2 for each in names) - 6
            shapes += [
                f'<rect x="{x:.0f}" y="{top}" width="{width:.0f}" height="{_HEIGHT - 6}" rx="4"/>',
                f'<text x="{x + width / 2:.0f}" y="{top + 19}">{name}</text>',
            ]
            x += width + 6
    return shapes


def _imported_by(package: str) -> str:
    importing = {each: crossing for each in PACKAGES if (crossing := _crossing(each, package))}
    names = " and ".join(each.removeprefix("modhost_") for each in importing)
    imported = set().union(*importing.values())
    only = f", {imported.pop()} only" if len(imported) == 1 else ""
    return f"imported by {names}{only}" if names else "imported by no other package"


def _crossing(importer: str, imported: str) -> set[str]:
    """Return the parts of a package that another one imports."""
    if importer == imported:
        return set()
    edges = _graph().find_matching_direct_imports(f"{importer}.** -> {imported}.**")
    return {edge["imported"].split(".")[1] for edge in edges}


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)


def parts(package: str) -> str:
    """Return a table of the parts of a package: what they are, and which others they import."""
    rows = ["| part | what it is | imports |", "|---|---|---|"]
    for name in (name for layer in layers(package) for name in layer):
        path, text = _described(f"{package}.{name}")
        imports = ", ".join(_imports(package, name)) or "nothing"
        rows.append(f"| [`{name}`](../{path.relative_to(ROOT)}) | {text} | {imports} |")
    return "\n".join(rows)


def _described(module: str) -> tuple[Path, str]:
    """Return the folder or file of a module, and the first line of its docstring."""
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin)
    text = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines()[0]
    return path.parent if path.name == "__init__.py" else path, text


def _imports(package: str, name: str) -> Sequence[str]:
    others = [each for layer in layers(package) for each in layer if each != name]
    module = f"{package}.{name}"
    return [
        each
        for each in others
        if _graph().direct_import_exists(
            importer=module, imported=f"{package}.{each}", as_packages=True
        )
    ]
