"""Names of any length cost little: Unicode normalizes long runs of combining marks slowly."""

import unicodedata
from typing import Any

import httpx2
import pytest

from modhost.testing import RunningHost
from security.support import PASSWORD, add_user, browser

pytestmark = pytest.mark.anyio

# Marks of two classes, which normalization has to sort.
MARKS = "\u0315\u0300" * 50_000


@pytest.fixture
async def anna(host: RunningHost) -> httpx2.AsyncClient:
    await add_user(host, "anna", "Admin")
    return await browser(host, "anna")


@pytest.fixture
def longest(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The length of the longest text that is normalized from now on."""
    normalize, longest = unicodedata.normalize, [0]

    def normalize_part(form: Any, text: str) -> str:
        longest[0] = max(longest[0], len(text))
        return normalize(form, text[:1000])

    monkeypatch.setattr(unicodedata, "normalize", normalize_part)
    return longest


@pytest.mark.parametrize("name", [MARKS, f" {MARKS}", f"anna{MARKS}"])
async def test_nobody_logs_in_by_a_name_without_end(
    host: RunningHost, longest: list[int], name: str
) -> None:
    client = await host.client()
    answer = await client.post("/login", data={"name": name, "password": PASSWORD})
    assert answer.status_code == 403
    assert "The name or the password is wrong." in answer.text
    assert longest[0] < 500


@pytest.mark.parametrize("password", [MARKS[:50_000], f"anna{MARKS[:50_000]}"])
async def test_nor_by_such_a_password(
    host: RunningHost, anna: httpx2.AsyncClient, longest: list[int], password: str
) -> None:
    client = await host.client()
    answer = await client.post("/login", data={"name": "anna", "password": password})
    assert answer.status_code == 403
    form = {"current": PASSWORD, "new": password, "again": password}
    assert (await anna.post("/account", data=form)).status_code == 422
    assert longest[0] < 500


@pytest.mark.parametrize("what", ["user", "role", "token"])
async def test_such_a_name_is_refused_and_not_repeated_in_full(
    anna: httpx2.AsyncClient, longest: list[int], what: str
) -> None:
    form = {"name": MARKS, "password": PASSWORD, "expires": "90d"}
    answer = await anna.post(f"/admin/{what}s", data=form)
    assert answer.status_code == 422
    assert f"of a {what} needs 1 to 100 printable characters" in answer.text
    assert answer.text.count(MARKS) == 1, "in its field only"
    assert longest[0] < 500


async def test_a_decomposed_name_that_composes_to_a_usable_one_is_taken(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    name = "\u1ec7" * 100
    decomposed = unicodedata.normalize("NFD", name)
    assert len(decomposed) == 300
    form = {"name": f" {decomposed} ", "password": PASSWORD}
    assert (await anna.post("/admin/users", data=form)).status_code == 303
    assert name in (await anna.get("/admin/users")).text
    client = await host.client()
    for spelling in (name, f" {name}\t"):
        answer = await client.post("/login", data={"name": spelling, "password": PASSWORD})
        assert answer.status_code == 303
