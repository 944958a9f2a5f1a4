"""What the buttons do: those of the lines, and those of the page of a schedule."""

from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.responses import Response

from modhost.web import Form, HttpProblem, Query
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    InvalidCronExpression,
    JobNotFound,
    RecurringJobId,
    UnknownTimeZone,
)
from modhost_background_jobs.pages.job import path_of
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.pages.recurring.details import path_of_schedule
from modhost_background_jobs.pages.recurring.list import (
    KEY_DIGITS,
    MAX_KEY_DIGITS,
    PATH,
    SchedulesQuery,
    path_of_list,
)
from modhost_background_jobs.queue.schedules import RecurringSchedules

Key: TypeAlias = Annotated[str, Field(min_length=KEY_DIGITS, max_length=MAX_KEY_DIGITS)]
Verb: TypeAlias = Literal["run", "enable", "disable", "toggle"]
_BUTTONS: Final[tuple[Verb, ...]] = ("run", "enable", "disable")


class ChangeForm(BaseModel):
    """The button of a line: what to do, and to the schedule whose id ends so."""

    run: Key | None = None
    enable: Key | None = None
    disable: Key | None = None


async def change(
    query: Query[SchedulesQuery],
    form: Form[ChangeForm],
    schedules: RecurringSchedules,
    jobs: BackgroundJobs,
) -> Response:
    """Run, enable or disable the schedule whose button was pressed."""
    pressed = [(verb, key) for verb in _BUTTONS if (key := getattr(form, verb))]
    if not pressed:
        raise HttpProblem(422, "Nothing was done: the form names no schedule.")
    verb, key = pressed[0]
    back = path_of_list(query.watched)
    found = [row.id for row in await schedules.all() if str(row.id).endswith(key)]
    if len(found) != 1:
        return redirect(back, "gone")
    return await _do(verb, found[0], jobs, back, to=f"s-{key}")


async def toggle(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Enable or disable a schedule."""
    return await _do("toggle", id, jobs, path_of_schedule(id))


async def enable(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Enable a schedule."""
    return await _do("enable", id, jobs, path_of_schedule(id))


async def disable(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Disable a schedule."""
    return await _do("disable", id, jobs, path_of_schedule(id))


async def run_now(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Start a run besides the due times."""
    return await _do("run", id, jobs, path_of_schedule(id))


async def delete(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Delete a schedule; its runs stay."""
    try:
        await jobs.remove_recurring(RecurringJobId(id))
    except JobNotFound:
        return redirect(PATH, "gone")
    return redirect(PATH, "deleted")


async def _do(
    verb: Verb, schedule: UUID, jobs: BackgroundJobs, back: str, *, to: str = ""
) -> Response:
    """Do it, and go back with the outcome; a run is shown on its own page."""
    id_ = RecurringJobId(schedule)
    try:
        if verb == "run":
            return redirect(path_of(await jobs.run_recurring_now(id_)), "run-now")
        if verb == "toggle":
            is_enabled = await jobs.toggle_recurring(id_)
        else:
            is_enabled = verb == "enable"
            await (jobs.enable_recurring if is_enabled else jobs.disable_recurring)(id_)
    except JobNotFound:
        # The list stays as it was searched; the page of the schedule is gone with it.
        return redirect(back if to else PATH, "gone")
    except (InvalidCronExpression, UnknownTimeZone):
        return redirect(back, "unreadable", schedule=schedule, to=to)
    return redirect(back, "enabled" if is_enabled else "disabled", schedule=schedule, to=to)
