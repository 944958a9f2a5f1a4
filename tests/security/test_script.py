"""Script in what jobs, files and providers say is shown as text."""

from pathlib import Path
from typing import ClassVar
from uuid import UUID

import pytest

from modhost import Module, ServiceCollection, hookimpl
from modhost.testing import running_host
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    JobExecutionContext,
    JobId,
    JobState,
    ModuleJob,
    add_module_job,
)
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_reports_example.module import ReportsModule
from security.support import ended

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
    config = {
        "host": {"database_url": sqlite_url},
        "modules": {
            "background_jobs": {"worker_mode": "Consumer", "poll_interval": "50ms"},
            "reports_example": {"upload_folder": str(tmp_path)},
            "oidc": {"issuer": "http://127.0.0.1:1", "client_id": "m", "provider_name": SCRIPT},
        },
    }
    modules = [BackgroundJobsModule(), ReportsModule(), ScriptingModule()]
    async with running_host(modules, config=config) as host, host.scope() as scope:
        client = await host.client("BackgroundJobs.*", "Reports.*")
        failed = await (await scope.get(BackgroundJobs)).enqueue(ScriptingJob)
        assert (await ended(host, failed)).state is JobState.FAILED
        sent = await client.post(
            "/api/reports?type=yearly",
            content=f"date,{SCRIPT}\n2024-01-01,1\n2025-01-01,2\n",
            headers={"Content-Type": "text/csv"},
        )
        report = sent.json()["job_id"]
        assert (await ended(host, JobId(UUID(report)))).state is JobState.COMPLETED
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
        texts["/login"] = (await (await host.client()).get("/login")).text
    assert [path for path, text in texts.items() if "<script>alert" in text] == []
    for path in (f"/admin/jobs/{failed}", f"/api/reports/{report}.svg", "/login"):
        assert "&lt;script&gt;alert(1)" in texts[path], path
