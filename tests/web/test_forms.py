"""A form that is refused is shown again, with what was typed and what is wrong beside its field."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import RedirectResponse, Response

from modhost.permissions import ANYONE
from modhost.web import FieldError, Form, HttpProblem, Page, Query
from web.serving import MANAGE, MANAGER, Serving

TEMPLATE = """{% extends "modhost/base.html" %}{% import "modhost/macros.html" as shell %}
{% block content %}<form method="post">
{% set title = sent_form.value("title", given) %}
<input name="title" value="{{ title }}"{{ shell.invalid(sent_form, "title") }}>
{{ shell.error(sent_form, "title") }}
<input name="count" value="{{ sent_form.value("count", 1) }}">{{ shell.error(sent_form, "count") }}
<input name="password" value="{{ sent_form.value("password") }}">
<input name="k" value="{{ sent_form.value("k") }}">
<input name="p" value="{{ sent_form.value("p") }}">
{% for tag in ["red", "blue"] %}<input type="checkbox" name="tags" value="{{ tag }}"
{% if sent_form.has("tags", tag, default=tag == "red") %} checked{% endif %}>{% endfor %}
{{ shell.error(sent_form, "tags") }}
</form>{% endblock %}"""


class Thing(BaseModel):
    title: Annotated[str, Field(max_length=20)]
    count: Annotated[int, Field(le=10)] = 1
    password: SecretStr = SecretStr("")
    key: SecretStr = Field(SecretStr(""), alias="k")
    passphrase: str = Field("", alias="p")
    tags: list[Annotated[str, Field(max_length=4)]] = Field(default_factory=list)


class Gone(Exception):
    pass


async def show() -> Page:
    return Page("form.html", {"given": "Untitled"}, "Things", headers={"X-Page": "1"})


async def add(form: Form[Thing]) -> Response:
    if form.title == "taken":
        errors = [FieldError("title", "There is one <already>.")]
        raise HttpProblem(409, "It is taken.", errors=errors)
    if form.title == "busy":
        raise HttpProblem(422, "Not on a Sunday.", headers={"Retry-After": "9"})
    if form.title == "gone":
        raise Gone("It is gone.")
    if form.title == "broken":
        raise HttpProblem(503, "Come back later.")
    return RedirectResponse("/things", 303)


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    package = tmp_path / "forming"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "templates" / "form.html").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(tmp_path)
    __import__("forming")
    serving = Serving("forming")
    serving.web.pages.map_error(Gone, 404)
    serving.web.pages.get("/", show, permission=ANYONE)
    serving.web.pages.post("/", add, permission=MANAGE)
    return serving


def send(serving: Serving, **form: str | list[str]) -> tuple[int, str]:
    with serving.client() as client:
        answer = client.post("/things", data=form, headers=MANAGER)
    return answer.status_code, answer.text


def test_it_is_empty_at_first(serving: Serving) -> None:
    with serving.client() as client:
        text = client.get("/things").text
    assert 'name="title" value="Untitled">' in text
    assert 'value="red"\n checked' in text
    assert "field-error" not in text
    assert 'role="alert"' not in text


def test_what_is_not_valid_keeps_what_was_typed(serving: Serving) -> None:
    typed: dict[str, str | list[str]] = {
        "title": 'a"b' * 20,
        "count": "eleven",
        "password": "hush",
        "k": "hush",
        "p": "hush",
        "tags": ["blue"],
    }
    status, text = send(serving, **typed)
    assert status == 422
    assert f'value="{"a&#34;b" * 20}" aria-invalid="true" aria-describedby="title-error"' in text
    assert '<span class="field-error" id="title-error">String should have at most 20' in text
    assert 'name="count" value="eleven"><span class="field-error" id="count-error">' in text
    alert = text.partition('role="alert"')[2].partition("</div>")[0]
    assert '<a href="#title">Title</a></li>' in alert, "what is wrong stands beside the field"
    assert text.count("String should have at most 20") == 1
    assert 'value="blue"\n checked' in text
    assert 'value="red"\n checked' not in text
    assert "hush" not in text


def test_an_item_of_a_list_is_reported_beside_the_list(serving: Serving) -> None:
    status, text = send(serving, title="x", tags=["blue", "too long"])
    assert status == 422
    assert 'id="tags-error">String should have at most 4' in text


def test_a_character_that_no_database_holds_is_reported_too(serving: Serving) -> None:
    status, text = send(serving, title="a\0b")
    assert status == 422
    assert 'id="title-error">A text cannot hold the character NUL.' in text


def test_what_the_handler_refuses_is_shown_beside_its_field(serving: Serving) -> None:
    status, text = send(serving, title="taken", count="7")
    assert status == 409
    assert 'id="title-error">There is one &lt;already&gt;.' in text
    assert 'name="count" value="7"' in text


def test_a_refusal_about_no_field_is_shown_above_the_form(serving: Serving) -> None:
    with serving.client() as client:
        answer = client.post("/things", data={"title": "busy"}, headers=MANAGER)
    assert (answer.status_code, answer.headers["retry-after"]) == (422, "9")
    assert answer.headers["x-page"] == "1"
    assert "Not on a Sunday." in answer.text.partition('role="alert"')[2]
    assert 'name="title" value="busy"' in answer.text


@pytest.mark.parametrize(("title", "status"), [("gone", 404), ("broken", 503)])
def test_where_nothing_can_be_corrected_no_form_is_shown(
    serving: Serving, title: str, status: int
) -> None:
    found, text = send(serving, title=title)
    assert found == status
    assert 'name="title"' not in text


def test_nobody_sees_a_form_for_lack_of_a_permission(serving: Serving) -> None:
    with serving.client() as client:
        answer = client.post("/things", data={"title": "x"}, headers={"Cookie": "session=viewer"})
    assert answer.status_code == 403
    assert 'name="title"' not in answer.text


def test_who_may_send_a_form_and_not_see_its_page_does_not_see_it(serving: Serving) -> None:
    serving.web.pages.get("/private", show, permission=MANAGE)
    serving.web.pages.post("/private", add, permission=ANYONE)
    with serving.client() as client:
        answer = client.post("/things/private", data={"title": "taken"})
    assert answer.status_code == 409
    assert "It is taken." in answer.text
    assert 'name="title"' not in answer.text


def test_another_page_may_have_the_form(serving: Serving) -> None:
    serving.web.pages.post("/{id}/add", add, permission=ANYONE, shown_by=show)
    with serving.client() as client:
        answer = client.post("/things/7/add", data={"title": "taken"})
    assert (answer.status_code, 'id="title-error"' in answer.text) == (409, True)


def test_methods_of_one_object_may_have_the_form(serving: Serving) -> None:
    class Views:
        async def show(self) -> Page:
            return await show()

    views = Views()
    serving.web.pages.get("/views", views.show, permission=ANYONE)
    serving.web.pages.post("/views/add", add, permission=ANYONE, shown_by=views.show)
    with serving.client() as client:
        answer = client.post("/things/views/add", data={"title": "taken"})
    assert (answer.status_code, 'id="title-error"' in answer.text) == (409, True)


def test_a_page_that_has_the_form_must_be_mapped(serving: Serving) -> None:
    serving.web.pages.post("/add", add, permission=ANYONE, shown_by=add)
    with pytest.raises(ValueError, match="is not mapped: map add to GET"), serving.client():
        pass


class Search(BaseModel):
    title: Annotated[str, Field(max_length=5)] = ""
    count: int = 1


async def search(query: Query[Search]) -> Page:
    return Page("form.html", {"given": f"{query.title} {query.count}"}, "Things")


def test_a_search_that_is_not_valid_keeps_what_was_typed(serving: Serving) -> None:
    serving.web.pages.get("/search", search, permission=ANYONE, is_search=True)
    serving.web.pages.get("/strict", search, permission=ANYONE)
    with serving.client() as client:
        found = client.get("/things/search?title=longer&count=7")
        assert found.status_code == 422
        assert 'name="title" value="longer" aria-invalid="true"' in found.text
        assert 'name="count" value="7"' in found.text
        assert 'id="title-error">String should have at most 5' in found.text
        assert 'value="short 7"' in client.get("/things/search?title=short&count=7").text
        refused = client.get("/things/strict?title=longer", headers={"Accept": "text/html"})
        assert (refused.status_code, 'name="title"' in refused.text) == (422, False)
