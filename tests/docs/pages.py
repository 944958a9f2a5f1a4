"""The pages of the documentation, and their parts."""

import re
import unicodedata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"

_FILE: Final = re.compile(r"^`([\w./-]+)`\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_BLOCK: Final = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_LINK: Final = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def all_pages() -> list[Path]:
    """Return the pages of the folder, and those at the top that link to it."""
    at_top = (ROOT / name for name in ("README.md", "CONTRIBUTING.md"))
    return [*sorted(DOCS.rglob("*.md")), *at_top]


def files_shown(text: str) -> dict[str, str]:
    """Return the files that a page shows: a line with the path, then the content."""
    return dict(_FILE.findall(text))


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of code in a language."""
    return [code for _, each, code in _BLOCK.findall(text) if each == language]


def prose(text: str) -> str:
    """Return a page without its blocks of code."""
    return _BLOCK.sub("", text)


def links(text: str) -> list[str]:
    return _LINK.findall(prose(text))


def headings(text: str) -> list[str]:
    """Return the headings."""
    return _HEADING.findall(prose(text))


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings have on GitHub."""
    return {anchor(heading) for heading in headings(text)}


def section(text: str, heading: str) -> str:
    """Return the text under a heading, up to the next heading of any level."""
    found = re.search(
        rf"^#+ +{re.escape(heading)}$(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert found, f"There is no heading {heading!r}."
    return found[1]


def anchor(heading: str) -> str:
    """Return the anchor that a heading has on GitHub."""
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    kept = (each for each in words if each in " -_" or unicodedata.category(each)[0] in "LN")
    return "".join(kept).replace(" ", "-")
