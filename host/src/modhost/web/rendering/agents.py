"""The names of browsers and programs, from what they call themselves."""

import re
from typing import Final

# Browsers name those that they descend from as well: the more special names come first.
_BROWSERS: Final = (
    ("Edge", "Edg"),
    ("Opera", "OPR|Opera"),
    ("Samsung Internet", "SamsungBrowser"),
    ("Vivaldi", "Vivaldi"),
    ("Firefox", "Firefox|FxiOS"),
    ("Chrome", "Chrome|CriOS|Chromium|HeadlessChrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("ChromeOS", "CrOS"),
    ("macOS", "Mac OS X|Macintosh"),
    ("Linux", "Linux|X11"),
)
_PRODUCT: Final = re.compile(r"[A-Za-z][\w.-]*(?=/[\d.]+)")


def browser(agent: str) -> str:
    """Return the browser and system of a `User-Agent` in words: `Firefox on Windows`.

    A program goes by its own name, as `curl`; what names nothing is an unknown browser.
    """
    name, system = _first(_BROWSERS, agent), _first(_SYSTEMS, agent)
    if name:
        return f"{name} on {system}" if system else name
    product = _PRODUCT.match(agent)
    if product and product[0] != "Mozilla":
        return product[0]
    return f"An unknown browser on {system}" if system else "An unknown browser"


def _first(rules: tuple[tuple[str, str], ...], agent: str) -> str:
    found = (name for name, words in rules if re.search(rf"\b(?:{words})\b", agent))
    return next(found, "")
