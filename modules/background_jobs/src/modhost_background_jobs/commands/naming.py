"""Recurring jobs as operators name them: by id, or by name."""

from difflib import get_close_matches
from uuid import UUID

from modhost.services import Scope
from modhost_background_jobs.contracts import (
    BackgroundJobsContracts,
    BackgroundJobsError,
    RecurringJobId,
)


class UnknownRecurringJob(BackgroundJobsError):
    """No recurring job has this name."""


async def recurring_id(scope: Scope, id_or_name: str) -> RecurringJobId:
    """Return the id of a recurring job. Raises `UnknownRecurringJob` for a name that none has."""
    schedules = await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs()
    by_name = {each.name: each.id for each in schedules}
    if id_or_name in by_name:
        return by_name[id_or_name]
    try:
        return RecurringJobId(UUID(id_or_name))
    except ValueError:
        near = get_close_matches(id_or_name, by_name, 1)
        remedy = (
            f"Did you mean {near[0]!r}?" if near else "`modhost jobs recurring list` shows all."
        )
        msg = f"There is no recurring job {id_or_name!r}. {remedy}"
        raise UnknownRecurringJob(msg) from None
