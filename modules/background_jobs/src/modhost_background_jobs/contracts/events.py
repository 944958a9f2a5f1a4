"""Jobs as durable subscribers of events."""

from typing import Any

from modhost import ServiceCollection
from modhost.checks import rules
from modhost.events import AnyEvent, DurableSubscription
from modhost.services import UnusableSubscriber, check_event, name_of
from modhost_background_jobs.contracts.job import ModuleJob
from modhost_background_jobs.contracts.job_checks import event_mismatch
from modhost_background_jobs.contracts.registration import RegisteredJob, add_module_job


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
