"""Rewrite the parts of the documentation that are generated from the code: `make docs`.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Final

from docs.generated import (
    architecture,
    configuration_reference,
    event_reference,
    metrics_reference,
    web_references,
)
from docs.pages import DOCS

_PART: Final = re.compile(r"(<!-- generated: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)

PARTS: Final[dict[str, dict[str, Callable[[], str]]]] = {
    "architecture.md": {
        package: partial(architecture.parts, package) for package in reversed(architecture.PACKAGES)
    },
    "configuration.md": {
        f"[{section}]": partial(configuration_reference.reference, section)
        for section in configuration_reference.MODELS | configuration_reference.SETTINGS
    },
    "http-api.md": {"the API": web_references.api},
    "modules/events.md": {"the events": event_reference.events},
    "permissions.md": {"the permissions": web_references.permissions},
    "metrics.md": {
        owner: partial(metrics_reference.reference, owner) for owner in metrics_reference.DECLARED
    },
}
"""The generators of each page by the names of its parts."""
PICTURES: Final[dict[str, Callable[[], str]]] = {"images/architecture.svg": architecture.picture}


def generated(page: str, text: str) -> str:
    """Return the text of a page with all its parts generated anew."""
    parts = PARTS[page]
    return _PART.sub(lambda found: f"{found[1]}\n{parts[found[2]]()}\n\n{found[3]}", text)


def names(text: str) -> list[str]:
    """Return the names of the generated parts of a text."""
    return [name for _, name, _ in _PART.findall(text)]


if __name__ == "__main__":
    for name in PARTS:
        file = DOCS / name
        file.write_text(generated(name, file.read_text("utf-8")), "utf-8")
    for name, draw in PICTURES.items():
        (DOCS / name).write_text(draw(), "utf-8")
