"""Script in what jobs, files and providers say is shown as text."""

from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

from hosts import host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    JobState,
    ModuleJob,
    add_module_job,
)
from modhost_reports_example.module import ReportsModule

pytestmark = pytest.mark.anyio

SCRIPT = "</title></text><script>alert(1)</script>"


class ScriptingJob(ModuleJob):
    max_attempts: ClassVar[int | None] = 1

    async def execute(self, context: JobExecutionContext) -> None:
        context.log(SCRIPT)
        context.report_progress(50, SCRIPT)
        raise RuntimeError(SCRIPT)


class ScriptingModule(Module):
    name: ClassVar[str] = "scripting"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, ScriptingJob)


async def test_script_in_what_jobs_files_and_providers_say_is_shown_as_text(
    sqlite_url: str, tmp_path: Path
) -> None:
    options: dict[str, Any] = {
        "background_jobs": {"worker_mode": "Consumer", "poll_interval": "50ms"},
        "reports_example": {"upload_folder": str(tmp_path)},
        "oidc": {"issuer": "http://127.0.0.1:1", "client_id": "m", "provider_name": SCRIPT},
    }
    modules = (ReportsModule(), ScriptingModule())
    async with host_with(sqlite_url, *modules, **options) as jobs:
        client = await jobs.host.client("BackgroundJobs.*", "Reports.*")
        failed = await jobs.scheduling.enqueue(ScriptingJob)
        assert (await jobs.ends(failed)).state is JobState.FAILED
        sent = await client.post(
            "/api/reports?type=yearly",
            content=f"date,{SCRIPT}\n2024-01-01,1\n2025-01-01,2\n",
            headers={"Content-Type": "text/csv"},
        )
        report = sent.json()["job_id"]
        assert (await jobs.ends(UUID(report))).state is JobState.COMPLETED
        texts = {
            path: (await client.get(path)).text
            for path in (
                f"/admin/jobs/{failed}",
                "/admin/jobs/list",
                "/admin/jobs",
                "/reports",
                f"/api/reports/{report}.svg",
            )
        }
        live = await client.get(f"/admin/jobs/events?watch=job&id={failed}&poll=true")
        # The lines of the log come as texts, which the page puts in as such.
        texts["live"] = str(live.json()["fragments"])
        texts["/login"] = (await (await jobs.host.client()).get("/login")).text
    assert [path for path, text in texts.items() if "<script>alert" in text] == []
    for path in (f"/admin/jobs/{failed}", f"/api/reports/{report}.svg", "/login"):
        assert "&lt;script&gt;alert(1)" in texts[path], path
