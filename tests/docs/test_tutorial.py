"""The tutorial shows the real code and real answers."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from docs.pages import ROOT, blocks, page
from modhost.testing import running_host

pytestmark = pytest.mark.anyio

PAGE = page("tutorial.md")
CODE = ROOT / "modules" / "reports_example" / "src" / "modhost_reports_example"
EXCERPTS = re.findall(r"^`([\w./]+\.py)`\n\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
REPORT, PROBLEM = (json.loads(block) for block in blocks(PAGE, "json"))


@pytest.mark.parametrize(("path", "code"), EXCERPTS)
def test_an_excerpt_stands_in_its_file(path: str, code: str) -> None:
    assert code in (CODE / path).read_text("utf-8")


def test_every_file_of_the_table_is_there() -> None:
    (table,) = re.findall(r"^\| folder or file .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    for name in re.findall(r"`([\w./]+)`", table):
        assert (CODE / name).exists()


async def test_the_answers_are_those_of_a_host(tmp_path: Path) -> None:
    modules = {
        "background_jobs": {"worker_mode": "Consumer"},
        "reports_example": {"upload_folder": str(tmp_path)},
    }
    config = {"modules": modules}
    async with running_host(config=config) as host:
        client = await host.client("Reports.*", "BackgroundJobs.*")
        order = {"type": "yearly", "source": "seattle-weather"}
        report = await answer(client, await client.post("/api/reports", json=order))
        assert {**report, "rows": report["rows"][:1]} == {**REPORT, "job_id": report["job_id"]}
        csv = re.search(r"printf '(.*?)'", PAGE)
        assert csv
        sent = await client.post(
            "/api/reports?type=monthly",
            content=csv[1].replace("\\n", "\n"),
            headers={"Content-Type": "text/csv"},
        )
        problem = await answer(client, sent)
        assert without_ids(problem) == without_ids(PROBLEM)


async def answer(client: httpx2.AsyncClient, accepted: httpx2.Response) -> dict[str, Any]:
    """Return what the report's address says once its job has finished."""
    assert accepted.status_code == 202
    with anyio.fail_after(60):
        while (await client.get(accepted.headers["Location"])).json()["completed_at"] is None:
            await anyio.sleep(0.02)
    found: dict[str, Any] = (await client.get(f"/api/reports/{accepted.json()['job_id']}")).json()
    return found


def without_ids(document: dict[str, Any]) -> str:
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", json.dumps(document))
