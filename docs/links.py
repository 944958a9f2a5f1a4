"""Make links to the sources mere text: the site of the documentation has no sources."""

import re
from typing import Any, Final

_TO_SOURCES: Final = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?:\.\./)+[^)]*\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page without links that leave the folder, as MkDocs asks for each page."""
    depth = page.file.src_uri.count("/")
    leaving = "../" * (depth + 1)
    return _TO_SOURCES.sub(
        lambda found: found[1] if f"]({leaving}" in found[0] else found[0], markdown
    )
