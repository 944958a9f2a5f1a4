"""The pages of the documentation, and what they show."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"

_FILE: Final = re.compile(r"^`([\w./-]+)`\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def files_shown(text: str) -> dict[str, str]:
    """Return the files that a page shows: a line with the path, then the content."""
    return dict(_FILE.findall(text))
