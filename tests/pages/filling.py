"""Jobs of every state, so that every page has content."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from modhost.administration.settings import SettingChanges
from modhost_background_jobs.contracts import JobState
from pages.demo import (
    ImportCustomersJob,
    Steps,
    SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob,
)
from pages.site import Site


async def filled(served: Site) -> Mapping[str, str]:
    """Make jobs of every state; return the paths of all pages by a name for each."""
    done = await served.scheduling.enqueue(ImportCustomersJob, Steps(lines=30))
    failed = await served.scheduling.enqueue(ImportCustomersJob, Steps(fail_at=1))
    long = SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob
    await served.scheduling.enqueue(long, Steps(fail_at=1))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    tags = ("customer:42", "nightly-export-of-all-warehouses")
    pending = await served.scheduling.schedule(
        long, tomorrow, queue="nightly", priority=-5, tags=tags
    )
    cancelled = await served.scheduling.schedule(long, tomorrow)
    await served.scheduling.cancel(cancelled)
    recurring = await served.scheduling.add_recurring(
        ImportCustomersJob, name="Nightly", cron_expression="0 3 * * *", data=Steps()
    )
    run = await served.scheduling.run_recurring_now(recurring)
    await served.reaches(run, JobState.COMPLETED)
    await served.reaches(done, JobState.COMPLETED)
    await served.reaches(failed, JobState.FAILED)
    running = await served.scheduling.enqueue(
        ImportCustomersJob,
        # Slow, so that pages which follow it are checked rather than redrawn continuously.
        Steps(lines=20, begin=420, steps=1000, pause=2, note="- 250 customers imported"),
    )
    await served.reaches(running, JobState.RUNNING)
    changes = await served.service(SettingChanges)
    await changes.set("reports_example", {"reports_shown": 10})
    jobs = "/admin/jobs"
    return {
        "start": "/",
        "administration": "/admin",
        "dashboard": jobs,
        "list": f"{jobs}/list",
        "confirmation": f"{jobs}/many?change=cancel&all=true&job_type=customers.{long.__name__}",
        "empty list": f"{jobs}/list?q=nothing",
        "running job": f"{jobs}/{running}",
        "failed job": f"{jobs}/{failed}",
        "finished job": f"{jobs}/{done}",
        "pending job": f"{jobs}/{pending}",
        "cancelled job": f"{jobs}/{cancelled}",
        "reschedule": f"{jobs}/{pending}/reschedule",
        "delete job": f"{jobs}/{done}/delete",
        "run again": f"{jobs}/{failed}/run-again",
        "recurring": f"{jobs}/recurring",
        "schedule": f"{jobs}/recurring/{recurring}",
        "new schedule": f"{jobs}/recurring/new",
        "edit schedule": f"{jobs}/recurring/{recurring}/edit",
        "delete schedule": f"{jobs}/recurring/{recurring}/delete",
        "workers": f"{jobs}/workers",
        "types": f"{jobs}/types",
        "type": f"{jobs}/types/customers.ImportCustomersJob",
        "reports": "/reports",
        "users": "/admin/users",
        "roles": "/admin/roles",
        "tokens": "/admin/tokens",
        "audit": "/admin/audit",
        "system": "/admin/system",
        "settings": "/admin/settings",
        "settings form": "/admin/settings/reports_example",
        "account": "/account",
        "error": f"{jobs}/nonsense",
    }
