"""Searches of the list that people keep: each their own, and not too many."""

import pytest

from pages.site import Site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

KEPT = "/admin/jobs/searches"


async def test_a_search_is_kept_for_who_kept_it_and_forgotten(
    served: Site, visitor: Visitor
) -> None:
    query = "state=Failed&state=Cancelled&q=C-10172&rows=20"
    searched = f"/admin/jobs/list?{query}"
    assert (await visitor.get(searched)).values["query"] == [query]
    for name, said in ((" ", "give the search a name"), ("Night\x07", "give the search a name")):
        _, page = await visitor.post(KEPT, {"name": name, "query": query})
        assert said in page.text
    _, page = await visitor.post(KEPT, {"name": " <Night> ", "query": f"{query}&before=x"[:-9]})
    assert "The search is kept" in page.text
    assert "&lt;Night&gt;" in page.source
    page = await visitor.get("/admin/jobs/list")
    assert searched in page.links
    other = await Visitor.of(served, "BackgroundJobs.ViewJobs")
    assert searched not in (await other.get("/admin/jobs/list")).links
    # Under the same name it is another one.
    await visitor.post(KEPT, {"name": "<Night>", "query": "state=Running"})
    links = (await visitor.get("/admin/jobs/list")).links
    assert searched not in links
    assert "/admin/jobs/list?state=Running" in links
    _, page = await visitor.post(f"{KEPT}/forget", {"name": "<Night>", "query": ""})
    assert "The search is forgotten." in page.text
    assert "Night" not in page.text


async def test_there_are_not_too_many_and_each_is_a_search(visitor: Visitor) -> None:
    for number in range(20):
        await visitor.client.post(KEPT, data={"name": f"s{number}", "query": "q=x"})
    _, page = await visitor.post(KEPT, {"name": "more", "query": "q=x"})
    assert "you have 20 searches" in page.text
    for wrong in ({"query": "state=Nonsense"}, {"name": "n" * 61}, {"query": "q" * 2001}):
        answer = await visitor.client.post(KEPT, data={"name": "s1", "query": "q=x"} | wrong)
        assert answer.status_code == 422, wrong
