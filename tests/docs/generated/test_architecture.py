"""The page about the architecture matches the code."""

import re

import pytest

from docs.generated.architecture import PACKAGES, layers, picture
from docs.pages import DOCS, links, page, section

PAGE = page("architecture.md")
STEPS = re.findall(r"^\d\. \*\*(.+?)\.\*\*(.*?)(?=^\d\. |\n\n)", PAGE, re.MULTILINE | re.DOTALL)
SHAPES = re.findall(
    r"^\| (`.*?) \(\[.*?\]\((.*?)\)\) \|", section(PAGE, "The shapes of a job"), re.MULTILINE
)


def test_the_way_of_a_job_has_six_steps() -> None:
    assert [name for name, _ in STEPS] == ["Enqueue", "Claim", "Run", "Progress", "Finish", "Page"]


@pytest.mark.parametrize(("name", "text"), STEPS, ids=[name for name, _ in STEPS])
def test_a_step_is_read_in_seven_files(name: str, text: str) -> None:
    assert 1 <= len(links(text)) <= 7, name


@pytest.mark.parametrize(("names", "path"), SHAPES, ids=[names for names, _ in SHAPES])
def test_a_shape_of_a_job_is_in_its_file(names: str, path: str) -> None:
    text = (DOCS / path).read_text("utf-8")
    for name in re.findall(r"`(\w+)`", names):
        assert f"class {name}(" in text or f"class {name}:" in text


@pytest.mark.parametrize("package", PACKAGES)
def test_every_part_is_in_the_picture(package: str) -> None:
    drawn = re.findall(r">(\w+)</text>", picture())
    assert set(drawn) >= {package, *(name for layer in layers(package) for name in layer)}
