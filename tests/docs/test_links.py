"""The links between the pages work."""

import json
import re
import subprocess
from pathlib import Path
from shutil import which

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


def test_the_site_has_every_page() -> None:
    listed = re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    assert len(set(listed)) == len(listed)
    assert set(listed) == {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}


@pytest.mark.exhaustive
@pytest.mark.timeout(400)
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """By what only `make docs` installs; its search finds what the pages say."""
    command = [which("uv") or str(ROOT / ".bootstrap/bin/uv"), "run", "--group", "site", "--frozen"]
    build = ["mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    subprocess.run([*command, "--isolated", *build], cwd=ROOT, check=True, timeout=350)
    index = json.loads((tmp_path / "search" / "search_index.json").read_text("utf-8"))
    assert any("transactional enqueue" in each["title"].lower() for each in index["docs"])
    pages = [path.read_text("utf-8") for path in tmp_path.rglob("*.html")]
    assert pages
    assert not [
        page for page in pages if re.search(r"(src|href)=\"(https?:)?//[^\"]*\\.(js|css)", page)
    ]


def test_the_readme_leads_to_the_index() -> None:
    assert "docs/index.md" in links((ROOT / "README.md").read_text("utf-8"))
