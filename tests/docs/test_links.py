"""The links between the pages work."""

from pathlib import Path

import pytest

from docs.pages import DOCS, ROOT, all_pages, anchors, links


@pytest.mark.parametrize("path", all_pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_something(path: Path) -> None:
    text = path.read_text("utf-8")
    for link in links(text):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), f"{link} leads nowhere"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text("utf-8")), f"{link} has no such heading"


def test_every_page_is_reached_from_the_index() -> None:
    reached = {DOCS / "index.md"}
    waiting = [DOCS / "index.md", DOCS / "decisions" / "index.md"]
    for path in waiting:
        for link in links(path.read_text("utf-8")):
            reached.add((path.parent / link.partition("#")[0]).resolve())
    assert set(DOCS.rglob("*.md")) <= reached


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/index.md" in links((ROOT / "README.md").read_text("utf-8"))
