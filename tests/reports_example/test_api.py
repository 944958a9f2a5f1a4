"""The reports over HTTP, on a host that makes them."""

import csv
import io
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
import pytest

from modhost.testing import RunningHost
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.retention import RetentionStore
from modhost_reports_example.sources import UploadSweeper
from modhost_reports_example.storage import ReportStorage
from reports_example.conftest import MAX_UPLOAD_BYTES

pytestmark = [pytest.mark.anyio, pytest.mark.permissions("*"), pytest.mark.jobs("inline")]

ORDER: Final[dict[str, object]] = {"type": "monthly", "source": "seattle-weather"}
CSV: Final = {"Content-Type": "text/csv"}
UNKNOWN: Final = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def modhost_database_url(database_url: str) -> str:
    return database_url


@pytest.fixture
def uploads(tmp_path: Path) -> anyio.Path:
    return anyio.Path(tmp_path / "up")


async def made(client: httpx2.AsyncClient, accepted: httpx2.Response) -> dict[str, Any]:
    """Return the job of a report, which has finished."""
    assert accepted.status_code == 202
    job: dict[str, Any] = (await client.get(accepted.headers["Location"])).json()
    assert job["completed_at"] is not None
    return job


async def names_in(folder: anyio.Path) -> list[str]:
    return [path.name async for path in folder.iterdir()]


async def test_a_report_of_what_was_sent_comes_as_json_csv_and_chart(
    client: httpx2.AsyncClient, uploads: anyio.Path
) -> None:
    async def lines() -> AsyncIterator[bytes]:
        for line in ("date,x\n", "2012-01-01,1\n", "2012-01-31,2.5\n", "2012-03-01,4\n"):
            yield line.encode()

    address = "/api/reports?type=monthly"
    job = await made(client, await client.post(address, content=lines(), headers=CSV))
    assert (job["state"], job["progress_percentage"]) == ("Completed", 100)
    assert await names_in(uploads) == []
    found = await client.get(f"/api/reports/{job['id']}")
    report = found.json()
    assert (report["type"], report["source"], report["records"]) == ("monthly", "upload", 3)
    assert report["rows"][0] == {
        "period": "2012-01",
        "count": 2,
        "values": {"x": {"sum": 3.5, "mean": 1.75, "min": 1.0, "max": 2.5}},
    }
    table = await client.get(f"/api/reports/{job['id']}.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["content-disposition"] == (
        f'attachment; filename="report-{job["id"]}.csv"'
    )
    rows = list(csv.reader(io.StringIO(table.text)))
    assert rows[0] == ["period", "count", "x sum", "x mean", "x min", "x max"]
    assert [row[0] for row in rows[1:]] == [row["period"] for row in report["rows"]]
    chart = await client.get(f"/api/reports/{job['id']}.svg")
    assert chart.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in chart.headers["content-security-policy"]
    assert chart.text.startswith("<svg")
    assert "<script" not in chart.text


async def test_a_csv_that_cannot_be_read_fails_and_its_report_says_why(
    client: httpx2.AsyncClient, uploads: anyio.Path
) -> None:
    accepted = await client.post(
        "/api/reports?type=yearly", content="date,x\n2012-01-01,1\n2012-01-02,wet\n", headers=CSV
    )
    job = await made(client, accepted)
    assert (job["state"], len(job["attempts"])) == ("Failed", 1)
    for suffix in ("", ".csv", ".svg"):
        refused = await client.get(f"/api/reports/{job['id']}{suffix}")
        assert refused.status_code == 409
        assert refused.json()["detail"].endswith("line 3: 'wet' in 'x' is not a number.")
    assert len(await names_in(uploads)) == 1


async def test_an_order_may_name_a_time_and_its_report_waits_until_then(
    client: httpx2.AsyncClient,
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    accepted = await client.post("/api/reports", json=ORDER | {"execute_at": tomorrow})
    assert accepted.status_code == 202
    job_id = accepted.json()["job_id"]
    assert accepted.headers["Location"] == f"/api/jobs/{job_id}"
    job = (await client.get(f"/api/jobs/{job_id}")).json()
    assert datetime.fromisoformat(job["execute_at"]) == datetime.fromisoformat(tomorrow)
    waiting = await client.get(f"/api/reports/{job_id}")
    assert waiting.status_code == 409
    assert waiting.json()["detail"].endswith(f"its job {job_id} is Pending.")
    assert (await client.get(f"/api/reports/{UNKNOWN}")).status_code == 404


async def test_an_order_that_cannot_be_met_is_422_and_names_the_field(
    client: httpx2.AsyncClient,
) -> None:
    orders: list[tuple[dict[str, object], str]] = [
        (ORDER | {"source": "nowhere"}, "source"),
        (ORDER | {"source": "\0"}, "source"),
        (ORDER | {"type": "weekly"}, "type"),
        (ORDER | {"kind": "monthly"}, "kind"),
        ({"type": "monthly"}, "source"),
        (ORDER | {"execute_at": 1700000000}, "execute_at"),
        (ORDER | {"execute_at": "2026-01-01T00:00:00"}, "execute_at"),
    ]
    for order, field in orders:
        refused = await client.post("/api/reports", json=order)
        assert refused.status_code == 422
        assert [error["field"] for error in refused.json()["errors"]] == [field]
    unknown = (await client.post("/api/reports", json=orders[0][0])).json()["detail"]
    assert unknown == "There is no source 'nowhere'; choose one of: seattle-weather."
    assert (await client.get("/api/jobs")).json()["total_count"] == 0


async def test_what_is_sent_in_another_way_is_refused_and_not_kept(
    client: httpx2.AsyncClient, uploads: anyio.Path
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_UPLOAD_BYTES):
            yield b"2012-01-01,1\n"

    address = "/api/reports?type=monthly"
    announced = await client.post(address, content=b"x" * (MAX_UPLOAD_BYTES + 1), headers=CSV)
    chunked = await client.post(address, content=endless(), headers=CSV)
    assert [announced.status_code, chunked.status_code] == [413, 413]
    assert str(MAX_UPLOAD_BYTES) in chunked.json()["detail"]
    untyped = await client.post("/api/reports", content="date,x\n", headers=CSV)
    assert (untyped.status_code, untyped.json()["errors"][0]["field"]) == (422, "type")
    other = await client.post(address, content="x", headers={"Content-Type": "text/plain"})
    assert other.status_code == 415
    assert not await uploads.exists() or await names_in(uploads) == []
    assert (await client.get("/api/jobs")).json()["total_count"] == 0


async def test_the_file_of_a_failed_job_stays_for_a_retry_until_the_job_is_gone(
    host: RunningHost, client: httpx2.AsyncClient, uploads: anyio.Path
) -> None:
    accepted = await client.post("/api/reports?type=yearly", content="date,x\n", headers=CSV)
    assert (await made(client, accepted))["state"] == "Failed"
    async with host.scope() as scope:
        sweeper = await scope.get(UploadSweeper)
        await sweeper.sweep()
        assert len(await names_in(uploads)) == 1
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert await (await scope.get(RetentionStore)).prune(JobState.FAILED, tomorrow, 10) == 1
        await sweeper.sweep()
        assert await names_in(uploads) == []
        assert await (await scope.get(ReportStorage)).uploads() == []


@pytest.mark.jobs("held")
async def test_the_file_of_a_cancelled_job_goes(
    host: RunningHost, client: httpx2.AsyncClient, uploads: anyio.Path
) -> None:
    sent = [
        await client.post("/api/reports?type=yearly", content="date,x\n", headers=CSV)
        for _ in range(2)
    ]
    cancelled, kept = (each.json()["job_id"] for each in sent)
    assert (await client.post(f"/api/jobs/{cancelled}/cancel")).status_code == 200
    async with host.scope() as scope:
        await (await scope.get(UploadSweeper)).sweep()
        ((job_id, upload),) = await (await scope.get(ReportStorage)).uploads()
        assert (str(job_id), await names_in(uploads)) == (kept, [upload])


async def test_a_file_goes_whose_host_died_before_it_was_ordered(
    host: RunningHost, client: httpx2.AsyncClient, uploads: anyio.Path
) -> None:
    await uploads.mkdir(parents=True, exist_ok=True)
    two_hours_ago = (datetime.now(UTC) - timedelta(hours=2)).timestamp()
    for name in ("orphan.csv", "arriving.csv", "note.txt"):
        await (uploads / name).write_text("date,x\n")
        if name != "arriving.csv":
            os.utime(uploads / name, (two_hours_ago, two_hours_ago))
    failed = await client.post("/api/reports?type=yearly", content="date,x\n", headers=CSV)
    assert (await made(client, failed))["state"] == "Failed"
    (sent,) = set(await names_in(uploads)) - {"orphan.csv", "arriving.csv", "note.txt"}
    os.utime(uploads / sent, (two_hours_ago, two_hours_ago))
    async with host.scope() as scope:
        await (await scope.get(UploadSweeper)).sweep()
    assert sorted(await names_in(uploads)) == sorted(["arriving.csv", "note.txt", sent])
