"""The page that shows the API."""

import html
import re
import shlex
from enum import Enum
from typing import Annotated, Literal
from urllib.parse import urlsplit

import httpx2
import pytest
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse

from hosts import whole_host
from modhost.permissions import ANYONE
from modhost.web import Body
from web.serving import Serving

UNKNOWN_ID = "0190b6c4-8d2e-7c31-9a54-3f6e2b1d7c80"


class Shape(Enum):
    ROUND = "round"
    SQUARE = "square"


class Tree(BaseModel):
    """A tree, of which each branch is one."""

    shape: Shape
    height: Annotated[int, Field(ge=2, le=90)] = 3
    kind: Literal["tree"] = "tree"
    owner: Annotated[str, Field(description="Who's it?")] = "O'Hara"
    branches: list["Tree"] = []
    leaves: dict[str, float] = {}


def words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def samples(page: str) -> list[str]:
    found = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)
    return [html.unescape(each) for each in found]


async def send(client: httpx2.AsyncClient, sample: str) -> httpx2.Response:
    """Send a request as a shell and curl would."""
    curl, *arguments = shlex.split(sample.replace("\\\n", ""))
    assert curl == "curl"
    method, headers, content, url = "GET", {}, None, ""
    rest = iter(arguments)
    for each in rest:
        if each == "-X":
            method = next(rest)
        elif each == "-H":
            name, _, value = next(rest).partition(": ")
            if name != "Authorization":
                headers[name] = value
        elif each == "--data":
            content = next(rest)
        else:
            url = each
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}"
    return await client.request(method, target, headers=headers, content=content)


def test_it_names_the_operations_and_their_values(serving: Serving) -> None:
    async def plant(tree: Body[Tree]) -> Tree:
        """Plant a `Tree`."""
        return tree

    async def picture() -> PlainTextResponse:
        """Draw it."""
        return PlainTextResponse("T")

    serving.web.endpoints.post("/trees", plant, permission=ANYONE)
    serving.web.endpoints.get("/picture", picture, permission=ANYONE)
    with serving.client() as client:
        page = client.get("/docs").text
        described = client.get("/openapi.json").json()
        (sample,) = [each for each in samples(page) if each.endswith("'") and "/trees" in each]
        content = shlex.split(sample)[-1]
        planted = client.post(
            "/api/things/trees",
            content=content.encode(),
            headers={"Content-Type": "application/json"},
        )
    text = words(page)
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in text
            assert operation["summary"].replace("`", "") in text.replace(" .", ".")
    assert "integer, at least 2, at most 90, 3 by default" in text
    assert '"round" or "square"' in text
    assert "Who's it?" in text
    assert "array of Tree" in text
    assert "object of number by name" in text
    assert planted.status_code == 200
    assert planted.json()["owner"] == "O'Hara"
    assert described["paths"]["/api/things/picture"]["get"]["responses"].keys() == {"200", "404"}


def test_each_link_of_it_leads_to_a_place_of_it(serving: Serving) -> None:
    with serving.client() as client:
        page = client.get("/docs").text
    places = re.findall(r'id="([^"]+)"', page)
    assert len(set(places)) == len(places)
    links = set(re.findall(r'href="#([^"]+)"', page))
    assert links <= set(places)
    assert {"get-api-things--id", "post-api-things", "NewThing"} <= links


@pytest.mark.anyio
async def test_each_sample_is_a_request_that_the_host_understands(sqlite_url: str) -> None:
    async with whole_host(sqlite_url) as host:
        client = await host.client("BackgroundJobs.*", "Reports.*", "Host.*")
        found = samples((await client.get("/docs")).text)
        described = (await client.get("/openapi.json")).json()["paths"]
        assert len(found) == sum(map(len, described.values()))
        answers = {each: await send(client, each) for each in found}
    # No job, recurring job, report or workflow has the id of a sample, and no worker its name;
    # nothing refuses how it is asked for.
    refused = {each: one for each, one in answers.items() if not one.is_success}
    assert {one.status_code for one in refused.values()} == {404}
    assert [each for each in refused if UNKNOWN_ID not in each and "/workers/" not in each] == []
