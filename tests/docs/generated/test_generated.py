"""The generated parts of the pages are up to date."""

import pytest

from docs.generated.generate import PARTS, PICTURES, generated, names
from docs.pages import page


@pytest.mark.parametrize("name", PARTS)
def test_a_page_is_what_is_generated(name: str) -> None:
    assert page(name) == generated(name, page(name)), "run `make docs`"


@pytest.mark.parametrize("name", PARTS)
def test_a_page_has_every_generated_part(name: str) -> None:
    assert names(page(name)) == list(PARTS[name])


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_is_generated(name: str) -> None:
    assert page(name) == PICTURES[name](), "run `make docs`"
