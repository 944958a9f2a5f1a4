"""Queues that are paused, limits that operators changed, and jobs that wait behind keys."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from modhost.caller import ActingFor, Caller
from modhost_background_jobs.client.limit_changes import LimitChanges
from modhost_background_jobs.contracts import JobState
from pages.demo import CallPartnerJob, SendInvoicesJob, Steps
from pages.site import Site

VERA = Caller("user", "user:1", "vera")
JOB_TYPE = "customers.CallPartnerJob"
PER_PARTNER = f"{JOB_TYPE}.concurrency.note"


async def limited(served: Site) -> Mapping[str, str]:
    """Fill the page of queues; return its path and those of its forms by a name for each."""
    slow = [Steps(steps=1000, pause=2, note=note) for note in ("acme", "acme", "acme", "zenith")]
    running, *_ = await served.scheduling.enqueue_many(CallPartnerJob, slow)
    await served.reaches(running, JobState.RUNNING)
    changes = await served.service(LimitChanges)
    with ActingFor(VERA):
        await changes.set("partner/api", 60)
        await served.scheduling.pause_queue(
            "bulk",
            until=datetime.now(UTC) + timedelta(hours=4),
            reason="The disk of the warehouse is nearly full; the new one comes today",
        )
    for _ in range(3):
        await served.scheduling.enqueue(SendInvoicesJob, Steps(), queue="bulk", priority=-10)
    return {
        "queues": "/admin/jobs/queues",
        "pause": "/admin/jobs/queues/pause?kind=queue&name=partners",
        "limit": f"/admin/jobs/queues/limit?name={PER_PARTNER}",
    }
