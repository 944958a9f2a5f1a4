"""The files that a job may read and delete when it is run again with other data."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import pytest

from hosts import host_with
from modhost_background_jobs.contracts import JobState
from modhost_reports_example.jobs import GenerateReportJob
from modhost_reports_example.module import ReportsModule

pytestmark = pytest.mark.anyio

CSV = "date,secret\n2024-01-01,4711\n"


async def test_a_report_reads_and_deletes_no_file_but_uploads(
    sqlite_url: str, tmp_path: Path
) -> None:
    private = anyio.Path(tmp_path / "private.csv")
    await private.write_text(CSV)
    uploads = tmp_path / "uploads"
    options: dict[str, Any] = {
        "background_jobs": {"worker_mode": "Consumer", "poll_interval": "50ms"},
        "reports_example": {"upload_folder": str(uploads)},
    }
    attempts: list[Any] = [
        {"type": "yearly", "source": "upload", "upload": str(private)},
        {"type": "yearly", "source": "upload", "upload": "../private.csv"},
        {"type": "yearly", "source": "../../../../../../../../private"},
        {"type": "yearly", "source": str(private).removesuffix(".csv")},
    ]
    async with host_with(sqlite_url, ReportsModule(), **options) as jobs:
        client = await jobs.host.client("BackgroundJobs.*", "Reports.*")
        sent = await client.post(
            "/api/reports?type=yearly", content=CSV, headers={"Content-Type": "text/csv"}
        )
        first = sent.json()["job_id"]
        assert (await jobs.ends(UUID(first))).state is JobState.COMPLETED
        for data in attempts:
            form = {"data": json.dumps(data)}
            answer = await client.post(f"/admin/jobs/{first}/run-again", data=form)
            if answer.status_code == 303:
                location = answer.headers["location"].partition("?")[0]
                again = UUID(location.rpartition("/")[2])
                assert (await jobs.ends(again)).state is JobState.FAILED
            else:
                assert answer.status_code == 422
            job_id = await jobs.scheduling.enqueue(GenerateReportJob, data)
            failed = await jobs.ends(job_id)
            assert (failed.state, len(failed.attempts)) == (JobState.FAILED, 1)
            assert (await client.get(f"/api/reports/{job_id}")).status_code in (404, 409)
    assert await private.read_text() == CSV
