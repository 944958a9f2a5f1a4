"""Events of jobs, and jobs as durable subscribers of events."""

from typing import Any, Final

from modhost import ServiceCollection
from modhost.checks import rules
from modhost.events import AnyEvent, DurableSubscription, Event
from modhost.services import UnusableSubscriber, check_event, name_of
from modhost_background_jobs.contracts.ids import JobId, RecurringJobId, WorkflowId
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.job_checks import event_mismatch
from modhost_background_jobs.contracts.registration import RegisteredJob, add_module_job


class JobEnded(Event):
    """A job has reached its final state: only a retry by somebody lets it run again.

    Attributes:
        job_id: the job.
        job_type: the stored name of its class, e.g. `reports_example.GenerateReportJob`.
        attempt: the number of its last attempt, 0 when there was none.
        error: the first line of its error; None without one.
        tags: its tags.
        recurring_job_id: the recurring job that it was a run of.
        workflow_id: the workflow that it belongs to.

    """

    job_id: JobId
    job_type: str
    attempt: int
    error: str | None = None
    tags: tuple[str, ...] = ()
    recurring_job_id: RecurringJobId | None = None
    workflow_id: WorkflowId | None = None


class JobCompleted(JobEnded):
    """A job has completed."""


class JobFailed(JobEnded):
    """A job has failed: its last attempt, and not merely one that another follows."""


class JobCancelled(JobEnded):
    """A job was cancelled, before it began or while it ran.

    Not to be confused with the exception that `raise_if_cancelled` raises, and that
    `modhost_background_jobs.contracts` exports under the same name.
    """


END_EVENTS: Final = (JobCompleted, JobFailed, JobCancelled)
"""What background jobs publishes."""


def add_event_job(
    services: ServiceCollection, event: type[AnyEvent], job: type[ModuleJob[AnyEvent, Any]]
) -> None:
    """Have a job of this class enqueued for each event, in `configure_services`.

    It is enqueued in the transaction of the session that the event is published with: it exists
    exactly when that is committed, and runs as every job does. The event is its data.

    It registers the class as `add_module_job` does, unless this module has done so before. An event
    that is not one, or that no module publishes, is a start-up error, and so is a class whose data
    are not that event.

    Args:
        services: the services of the module that subscribes.
        event: the class of the events; those of classes below it count, too.
        job: the class of the jobs, a `ModuleJob[OrderPlaced]`.

    """
    try:
        check_event(event)
    except UnusableSubscriber as error:
        services.refuse(rules.UNUSABLE_SUBSCRIBER, str(error), error.remedy)
        return
    if not any(each.job_class is job for each in services.contributed(RegisteredJob)):
        add_module_job(services, job)
    if not any(each.job_class is job for each in services.contributed(RegisteredJob)):
        return  # what is wrong with it is reported already
    problem = event_mismatch(job, event)
    if problem is not None:
        services.refuse(*problem)
        return
    key = f"{name_of(job)} of {name_of(event)}"
    subscription = DurableSubscription(event, job, services.module)
    services.contribute(DurableSubscription, subscription, key=key)
