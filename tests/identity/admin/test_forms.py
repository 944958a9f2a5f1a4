"""The forms of the administration keep what was typed, and say beside the field what is wrong."""

import re
from collections.abc import Mapping, Sequence

import httpx2
import pytest

from modhost.testing import RunningHost
from security.support import PASSWORD, add_role, user_id

pytestmark = pytest.mark.anyio

SECRET = "hunter2"
Values = Mapping[str, str | Sequence[str]]


@pytest.fixture(autouse=True)
async def clerk(host: RunningHost) -> None:
    await add_role(host, "Clerk", ["Reports.View"])


def error_of(text: str, field: str) -> str:
    found = re.search(rf'<span class="field-error" id="{field}-error">(.*?)</span>', text)
    assert found, text
    return found[1]


@pytest.mark.parametrize(
    ("path", "form", "field", "words", "kept"),
    [
        ("users", {"name": "anna"}, "name", "anna", ['value="anna"', 'value="Clerk" checked']),
        ("users", {"name": ""}, "name", "is empty", ['value="Clerk" checked']),
        ("users", {"name": "v" * 101}, "name", "100", ["v" * 101]),
        ("users", {"name": "a\0"}, "name", "NUL", ['value="Clerk" checked']),
        ("users", {"name": "vera", "password": SECRET}, "password", "at least 8", ['"vera"']),
        ("users", {"name": "vera", "role": ["Clrk"]}, "role", "Did you mean Clerk?", ['"vera"']),
        ("tokens", {"name": ""}, "name", "is empty", ['value="90d" selected', "checked"]),
        ("tokens", {"name": "ci", "expires": "-1d"}, "expires", "", ['value="ci"', "checked"]),
        ("tokens", {"name": "ci", "permission": ["No"]}, "permission", "No module", ['"ci"']),
        ("roles", {"name": "clerk"}, "name", "Clerk", ['value="clerk"', "checked"]),
        ("roles", {"name": "Boss", "permission": ["No"]}, "permission", "No module", ['"Boss"']),
    ],
)
async def test_what_is_wrong_is_beside_its_field(
    anna: httpx2.AsyncClient, path: str, form: Values, field: str, words: str, kept: list[str]
) -> None:
    usual: Values = {
        "password": PASSWORD,
        "role": ["Clerk"],
        "permission": ["Reports.View"],
        "expires": "90d",
    }
    answer = await anna.post(f"/admin/{path}", data={**usual, **form})
    assert answer.status_code == 422
    assert words in error_of(answer.text, field)
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}"' in answer.text
    for each in kept:
        assert each in answer.text
    assert PASSWORD not in answer.text
    assert SECRET not in answer.text


async def test_passwords_are_refused_beside_their_field_and_never_shown(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    path = f"/admin/users/{await user_id(host, 'anna')}"
    answer = await anna.post(f"{path}/password", data={"password": SECRET})
    assert (answer.status_code, "at least 8" in error_of(answer.text, "password")) == (422, True)
    answer = await anna.post(f"{path}/assign", data={"role": "Clrk"})
    assert (answer.status_code, "Clerk" in error_of(answer.text, "role")) == (422, True)
    own = {"current": PASSWORD, "new": PASSWORD + "2", "again": PASSWORD + "2"}
    for form, field in (
        ({"current": "wrong one"}, "current"),
        ({"new": SECRET, "again": SECRET}, "new"),
        ({"again": "something else"}, "again"),
    ):
        answer = await anna.post("/account", data={**own, **form})
        assert answer.status_code == 422
        assert error_of(answer.text, field)
        for each in (PASSWORD, SECRET, "wrong one", "something else"):
            assert each not in answer.text


async def test_a_login_that_cannot_be_read_keeps_its_name_and_where_it_leads(
    host: RunningHost, anna: httpx2.AsyncClient
) -> None:
    stranger = await host.client()
    form = {"name": "ve\0ra", "password": SECRET, "next": "/admin/jobs"}
    answer = await stranger.post("/login", data=form)
    assert answer.status_code == 422
    assert "NUL" in error_of(answer.text, "name")
    assert 'value="/admin/jobs"' in answer.text
    assert SECRET not in answer.text


async def test_a_report_of_an_unknown_source_is_refused_beside_it(
    anna: httpx2.AsyncClient,
) -> None:
    answer = await anna.post("/reports", data={"type": "yearly", "source": "nowhere"})
    assert answer.status_code == 422
    assert "nowhere" in error_of(answer.text, "source")
    assert "<option selected>yearly</option>" in answer.text
    answer = await anna.post("/reports", data={"type": "weekly", "source": "seattle-weather"})
    assert (answer.status_code, "monthly" in error_of(answer.text, "type")) == (422, True)
