"""The addresses of all pages, by a name for each."""

from collections.abc import Mapping
from uuid import UUID

from modhost_background_jobs.contracts import JobFilter, JobState, WorkflowFilter
from pages.browser.shop import Shop

JOBS = "/admin/jobs"
_COMMON = {
    "start": "/",
    "administration": "/admin",
    "dashboard": JOBS,
    "dashboard of a day": f"{JOBS}?span=day",
    "list": f"{JOBS}/list",
    "list without matches": f"{JOBS}/list?q=nothing",
    "workflows": f"{JOBS}/workflows",
    "recurring": f"{JOBS}/recurring",
    "new recurring": f"{JOBS}/recurring/new",
    "types": f"{JOBS}/types",
    "queues": f"{JOBS}/queues",
    "workers": f"{JOBS}/workers",
    "reports": "/reports",
    "users": "/admin/users",
    "roles": "/admin/roles",
    "tokens": "/admin/tokens",
    "audit": "/admin/audit",
    "system": "/admin/system",
    "settings": "/admin/settings",
    "settings of a module": "/admin/settings/reports_example",
    "account": "/account",
    "API reference": "/docs",
    "not found": f"{JOBS}/nonsense",
}


def paths_of_empty() -> Mapping[str, str]:
    """Return those of an installation without jobs."""
    return {
        **_COMMON,
        "dashboard of a week": f"{JOBS}?span=week",
        "confirmation of nothing": f"{JOBS}/many?change=cancel&all=true&state=Pending",
        "recurring without matches": f"{JOBS}/recurring?q=nothing",
    }


async def paths_of_shop(served: Shop, workflow: str) -> Mapping[str, str]:
    """Return those of the shop, with jobs of each state."""
    job_type = "shop.ChargeCard"
    failed = await _job(served, JobState.FAILED, job_type)
    completed = await _job(served, JobState.COMPLETED, job_type)
    pending = await _job(served, JobState.PENDING, "shop.SendShippingNotice")
    paused = await _job(served, JobState.PENDING, "shop.NotifyWarehouse")
    running = await _job(served, JobState.RUNNING, "shop.ImportSupplierFeed")
    ended = (await served.querying.get_workflows(WorkflowFilter(page_size=50))).items
    done = next(each.id for each in ended if each.state.is_final and not each.failed)
    broken = next(each.id for each in ended if each.state.is_final and each.failed)
    schedules = await served.querying.get_recurring_jobs()
    of_code = next(each.id for each in schedules if each.name.startswith("Sync"))
    own = next(each.id for each in schedules if each.name.startswith("Newsletter"))
    many = f"{JOBS}/many?all=true&change"
    return {
        **_COMMON,
        "dashboard of a week": f"{JOBS}?span=week",
        "list of failed": f"{JOBS}/list?state=Failed&by=finished&job_type={job_type}",
        "list by due": f"{JOBS}/list?state=Pending&by=due",
        "list by words": f"{JOBS}/list?q=refused",
        "pending job": f"{JOBS}/{pending}",
        "job behind a pause": f"{JOBS}/{paused}",
        "running job": f"{JOBS}/{running}",
        "completed job": f"{JOBS}/{completed}",
        "failed job": f"{JOBS}/{failed}",
        "cancelled job": f"{JOBS}/{await _job(served, JobState.CANCELLED)}",
        "skipped job": f"{JOBS}/{await _job(served, JobState.SKIPPED)}",
        "reschedule": f"{JOBS}/{pending}/reschedule",
        "delete job": f"{JOBS}/{completed}/delete",
        "run again": f"{JOBS}/{failed}/run-again",
        "confirm cancel": f"{many}=cancel&state=Pending",
        "confirm delete": f"{many}=delete&state=Completed",
        "confirm retry": f"{many}=retry&state=Failed",
        "confirm reschedule": f"{many}=reschedule&state=Pending",
        "finished workflow": f"{JOBS}/workflows/{done}",
        "failed workflow": f"{JOBS}/workflows/{broken}",
        "running workflow": f"{JOBS}/workflows/{workflow}",
        "cancel workflow": f"{JOBS}/workflows/{workflow}/cancel",
        "retry workflow": f"{JOBS}/workflows/{broken}/retry",
        "recurring by search": f"{JOBS}/recurring?q=orders",
        "recurring of code": f"{JOBS}/recurring/{of_code}",
        "recurring of operators": f"{JOBS}/recurring/{own}",
        "edit recurring": f"{JOBS}/recurring/{own}/edit",
        "delete recurring": f"{JOBS}/recurring/{own}/delete",
        "type": f"{JOBS}/types/{job_type}",
        "type slowed down": f"{JOBS}/types/shop.GenerateInvoice?span=day",
        "pause": f"{JOBS}/queues/pause?kind=queue&name=bulk",
        "limit": f"{JOBS}/queues/limit?name=warehouse/api",
        "unavailable": "/faulty/away",
        "server error": "/faulty/broken",
    }


async def _job(served: Shop, state: JobState, job_type: str | None = None) -> UUID:
    filter_ = JobFilter(state=state, job_type=job_type, page_size=1)
    (found,) = (await served.querying.get_jobs(filter_)).items
    return found.id
