"""A host behind a proxy, at the address that its configuration names."""

import json
import logging
import re
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from modhost.permissions import ANYONE
from modhost.web import Page
from web.serving import Serving

PUBLIC = "https://example.org:8443/tools/modhost/"
TEMPLATE = """{% extends "modhost/base.html" %}{% block content %}
<a href="/things/x">text</a><a href='{{ url(link) }}'>value</a><a href="//elsewhere/">other</a>
<form action="/things"></form><img srcset="/static/things/a.png 2x"><p>href="{{ said }}"</p>
<a href="/things/{{ said }}">mixed</a>
{% endblock %}"""


async def echo(request: Request) -> str:
    return str(request.url)


async def move(request: Request) -> Response:
    target = request.query_params["to"]
    response = RedirectResponse(str(request.url.replace(query="")) if target == "self" else target)
    response.set_cookie("own", "1")
    response.set_cookie("deep", "1", path="/things")
    response.set_cookie("__Host-strict", "1", secure=True)
    return response


async def change() -> str:
    return "changed"


async def stream() -> Response:
    return StreamingResponse(iter(["data: 1\n\n"]), media_type="text/event-stream")


async def show() -> Page:
    return Page("links.html", {"link": "/things/y", "said": "/a"}, "Links")


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serving:
    package = tmp_path / "linking"
    (package / "templates").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "templates" / "links.html").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(tmp_path)
    __import__("linking")
    serving = Serving("linking")
    serving.web.endpoints.get("/echo", echo, permission=ANYONE)
    serving.web.endpoints.get("/move", move, permission=ANYONE)
    serving.web.endpoints.post("/change", change, permission=ANYONE)
    serving.web.endpoints.get("/stream", stream, permission=ANYONE)
    serving.web.pages.get("/links", show, permission=ANYONE)
    return serving


@pytest.mark.parametrize("prefix", ["", "/tools/modhost"], ids=["removed", "passed on"])
def test_a_request_is_one_to_the_public_address(serving: Serving, prefix: str) -> None:
    with serving.client(public_url=PUBLIC, base_url="http://10.0.0.7:8000") as client:
        answer = client.get(f"{prefix}/api/things/echo?a=1")
    assert answer.json() == "https://example.org:8443/api/things/echo?a=1"


@pytest.mark.parametrize("path", ["/tools/modhost", "/tools/modhost/"])
def test_the_address_itself_is_the_start_page(serving: Serving, path: str) -> None:
    with serving.client(public_url=PUBLIC) as client:
        assert "Welcome" in client.get(path).text
        assert client.get("/tools/modhostess").status_code == 404


def test_every_link_of_a_page_leads_below_it(serving: Serving) -> None:
    with serving.client(public_url=PUBLIC) as client:
        text = client.get("/tools/modhost/things/links").text
    for link in (
        'href="/tools/modhost/things/x"',
        "href='/tools/modhost/things/y'",
        'href="//elsewhere/"',
        'action="/tools/modhost/things"',
        'srcset="/tools/modhost/static/things/a.png 2x"',
        'href="/tools/modhost/things//a"',
        'href="/tools/modhost/static/modhost/shell.css"',
        'href="/tools/modhost/login"',
        '<p>href="/a"</p>',
    ):
        assert link in text, text


def test_without_it_links_are_as_they_were(serving: Serving) -> None:
    with serving.client(public_url=PUBLIC) as below, serving.client() as root:
        below.get("/things/links")
        assert '<a href="/things/x">' in root.get("/things/links").text


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/things", "/tools/modhost/things"),
        ("self", "https://example.org:8443/tools/modhost/api/things/move"),
        ("https://elsewhere.example/", "https://elsewhere.example/"),
    ],
)
def test_redirects_and_cookies_stay_below_it(serving: Serving, target: str, location: str) -> None:
    with serving.client(public_url=PUBLIC) as client:
        answer = client.get(f"/tools/modhost/api/things/move?to={target}")
    assert answer.headers["location"] == location
    cookies = [value for name, value in answer.headers.multi_items() if name == "set-cookie"]
    paths = [re.search(r"(?i)path=([^;]*)", each) for each in cookies]
    assert [path and path[1] for path in paths] == ["/tools/modhost", "/tools/modhost/things", "/"]


def test_the_description_of_the_api_names_it(serving: Serving) -> None:
    with serving.client(public_url=PUBLIC) as client, serving.client() as other:
        described = json.loads(client.get("/tools/modhost/openapi.json").text)
        assert described["servers"] == [{"url": PUBLIC.rstrip("/")}]
        assert "servers" not in json.loads(other.get("/openapi.json").text)


@pytest.mark.parametrize("host", ["example.org", "example.org:8443", "10.0.0.7:8000", "app"])
def test_a_page_of_it_may_post_whatever_host_the_proxy_sends(serving: Serving, host: str) -> None:
    with serving.client(public_url=PUBLIC) as client:

        def status(origin: str) -> int:
            headers = {"Host": host, "Origin": origin}
            return client.post("/tools/modhost/api/things/change", headers=headers).status_code

        assert status("https://example.org:8443") == 200
        assert status("https://example.org") == 403
        assert status("http://example.org:8443") == 403
        assert status(f"http://{host}") == 403


def test_a_refused_origin_is_reported_with_what_to_set(serving: Serving) -> None:
    with serving.client() as client:
        headers = {"Host": "example.org", "Origin": "https://example.org:8443"}
        answer = client.post("/api/things/change", headers=headers)
        assert answer.status_code == 403
        for word in ("https://example.org:8443", "'example.org'", "public_url", "$http_host"):
            assert word in answer.json()["detail"]
        # A proxy may name the port that browsers leave out.
        headers = {"Host": "example.org:443", "Origin": "https://example.org"}
        assert client.post("/api/things/change", headers=headers).status_code == 200


def test_a_stream_of_events_is_not_kept_back_by_a_proxy(serving: Serving) -> None:
    with serving.client() as client:
        assert client.get("/api/things/stream").headers["x-accel-buffering"] == "no"
        assert "x-accel-buffering" not in client.get("/api/things/echo").headers


@pytest.mark.parametrize("public_url", ["", PUBLIC])
def test_names_that_are_not_allowed_are_refused_and_logged_once(
    serving: Serving, public_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    allowed = ("example.org", "*.example.net", "[::1]")
    with serving.client(allowed_hosts=allowed, public_url=public_url) as client:

        def status(host: str) -> int:
            return client.get("/api/things/echo", headers={"Host": host}).status_code

        hosts = ["example.org", "Example.ORG:8000", "a.example.net", "[::1]:8000", "[::1]"]
        assert [status(host) for host in hosts] == [200] * 5
        with caplog.at_level(logging.WARNING):
            hosts = ["10.0.0.7:8000", "10.0.0.7:8000", "example.net", "evil.test", "[::2]", ""]
            assert [status(host) for host in hosts] == [400] * 6
    assert caplog.text.count("'10.0.0.7:8000'") == 1


@pytest.mark.parametrize("host", ["10.0.0.7:8000", "[::1]:8000", "localhost", "web:8000"])
def test_health_is_reported_under_any_name(serving: Serving, host: str) -> None:
    serving.web.endpoints.prefix = ""
    serving.web.endpoints.get("/health/live", change, permission=ANYONE)
    with serving.client(allowed_hosts=("example.org",)) as client:
        assert client.get("/health/live", headers={"Host": host}).status_code == 200
        assert client.get("/healthy", headers={"Host": host}).status_code == 400
