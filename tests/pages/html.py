"""Reading pages as a visitor does."""

import re
from html.parser import HTMLParser


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: list[str] = []
        self.buttons: list[str] = []
        self.values: dict[str, list[str]] = {}
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "input" and "name" in attributes:
            self.values.setdefault(attributes["name"], []).append(attributes.get("value", ""))
        self._in_button = tag == "button" or "button" in attributes.get("class", "").split()
        if self._in_button:
            self.buttons.append("")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._in_button:
            self.buttons[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in_button = False


class Html:
    """A page's visible text, links, buttons and form values."""

    def __init__(self, source: str) -> None:
        parser = _Text()
        parser.feed(source)
        self.source = source
        self.text = re.sub(r"\s+", " ", " ".join(parser.text))
        self.links = parser.links
        self.buttons = [button.strip() for button in parser.buttons]
        self.values = parser.values

    def job_ids(self) -> list[str]:
        """Return the ids of the rows of a list of jobs, in order."""
        return re.findall(r'<tr data-job="([^"]+)"', self.source)
