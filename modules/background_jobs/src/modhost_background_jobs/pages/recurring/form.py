"""The form that creates and edits a schedule which no code owns."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from modhost.web import Form, HttpProblem, Page, Query
from modhost.web.problems import FieldError
from modhost_background_jobs.client.run_again import UnreadableInput, read_json
from modhost_background_jobs.client.schedules.editing import (
    InvalidSchedule,
    RecurringEdit,
    ScheduleEditing,
    schedule_of,
)
from modhost_background_jobs.contracts import CatchUpPolicy, OverlapPolicy, RecurringJobId
from modhost_background_jobs.inspection.schedules import UPCOMING, Schedules, ScheduleView
from modhost_background_jobs.model.flow import flow_of
from modhost_background_jobs.model.schedule import ScheduleConflict
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.pages.recurring.details import path_of_schedule
from modhost_background_jobs.pages.recurring.list import PATH
from modhost_background_jobs.storage import QueueClock

OVERLAPS: Final[Mapping[str, str]] = {
    OverlapPolicy.SKIP: "Skip the run",
    OverlapPolicy.QUEUE: "Let it wait for the earlier ones",
    OverlapPolicy.ALLOW: "Let both run",
}
CATCH_UPS: Final[Mapping[str, str]] = {
    CatchUpPolicy.ONE: "Catch up the latest of them",
    CatchUpPolicy.NONE: "Catch up none",
    CatchUpPolicy.ALL: "Catch up each, up to a hundred",
}
_Short = Annotated[str, Field(max_length=1000)]


class PreviewQuery(BaseModel):
    """When a schedule would run."""

    cron_expression: _Short = ""
    time_zone: _Short = "UTC"


class ScheduleForm(PreviewQuery):
    """The form as it was typed; `check` shows when it runs and saves nothing."""

    name: _Short = ""
    job_type: _Short = ""
    data: str = ""
    overlap: OverlapPolicy = OverlapPolicy.SKIP
    catch_up: CatchUpPolicy = CatchUpPolicy.ONE
    max_attempts: _Short = ""
    timeout_seconds: _Short = ""
    queue: _Short = ""
    priority: _Short = ""
    tags: _Short = ""
    do: Literal["save", "check"] = "save"

    def as_edit(self) -> RecurringEdit:
        """Return what it defines. Raises `InvalidSchedule`."""
        try:
            data = read_json(self.data) if self.data.strip() else None
        except UnreadableInput as error:
            raise InvalidSchedule("data", str(error)) from error
        timeout = self.timeout_seconds.strip()
        return RecurringEdit(
            name=self.name.strip(),
            job_type=self.job_type,
            cron_expression=self.cron_expression,
            time_zone=self.time_zone.strip(),
            data=data,
            overlap=self.overlap,
            catch_up=self.catch_up,
            max_attempts=_number("max_attempts", self.max_attempts),
            timeout_seconds=_seconds(timeout) if timeout else None,
            queue=self.queue.strip() or None,
            priority=_number("priority", self.priority),
            tags=self.tags.split(),
        )


class Previews:
    """Renders when a schedule would run, or why it never can."""

    def __init__(self, fragments: Fragments, clock: QueueClock) -> None:
        self._fragments = fragments
        self._clock = clock

    def context(self, query: PreviewQuery) -> dict[str, Any]:
        """Return the variables: the words and the next times, or what is wrong."""
        if not query.cron_expression.strip():
            return {"words": "", "upcoming": [], "wrong": ""}
        try:
            schedule = schedule_of(query.cron_expression, query.time_zone.strip())
        except InvalidSchedule as error:
            return {"words": "", "upcoming": [], "wrong": str(error)}
        zone = ZoneInfo(schedule.time_zone)
        due = schedule.upcoming(self._clock.now(), UPCOMING)
        upcoming = [at.astimezone(zone) for at in due]
        return {"words": schedule.describe(), "upcoming": upcoming, "wrong": ""}

    def html(self, query: PreviewQuery) -> str:
        """Return the fragment."""
        rendered = self._fragments.render("recurring/preview.html", self.context(query))
        return rendered["live_preview"]


async def preview(query: Query[PreviewQuery], previews: Previews) -> Response:
    """Send when a schedule would run, as a part of the page."""
    return HTMLResponse(previews.html(query))


async def ask_new(editing: ScheduleEditing, previews: Previews) -> Page:
    """Show the empty form."""
    return _form(editing, previews, ScheduleForm(), None)


async def create(
    form: Form[ScheduleForm], editing: ScheduleEditing, previews: Previews
) -> Page | Response:
    """Create a schedule."""
    if form.do == "check":
        return _form(editing, previews, form, None)
    try:
        created = await editing.create(form.as_edit())
    except (InvalidSchedule, ScheduleConflict) as error:
        raise _problem(error) from error
    return redirect(path_of_schedule(created), "created")


async def ask_edit(
    id: UUID,  # noqa: A002
    schedules: Schedules,
    editing: ScheduleEditing,
    previews: Previews,
) -> Page:
    """Show the form with what the schedule is."""
    found = await schedules.find(RecurringJobId(id))
    return _form(editing, previews, _form_of(found), found)


async def edit(
    id: UUID,  # noqa: A002
    form: Form[ScheduleForm],
    schedules: Schedules,
    editing: ScheduleEditing,
    previews: Previews,
) -> Page | Response:
    """Change a schedule."""
    if form.do == "check":
        return _form(editing, previews, form, await schedules.find(RecurringJobId(id)))
    try:
        await editing.edit(RecurringJobId(id), form.as_edit())
    except (InvalidSchedule, ScheduleConflict) as error:
        raise _problem(error) from error
    return redirect(path_of_schedule(id), "edited")


def _form(
    editing: ScheduleEditing, previews: Previews, form: ScheduleForm, found: ScheduleView | None
) -> Page:
    path = f"{PATH}/new" if found is None else f"{path_of_schedule(found.row.id)}/edit"
    context = previews.context(form) | {
        "form": form,
        "types": editing.types,
        "overlaps": OVERLAPS,
        "catch_ups": CATCH_UPS,
        "row": found and found.row,
        "path": path,
        "back": PATH if found is None else path_of_schedule(found.row.id),
    }
    title = "New recurring job" if found is None else f"Edit {found.row.name}"
    return Page("recurring/form.html", context, title)


def _form_of(found: ScheduleView) -> ScheduleForm:
    row, flow = found.row, flow_of(found.row.flow)
    form = ScheduleForm(
        name=row.name,
        job_type=row.job_type,
        cron_expression=row.cron_expression,
        time_zone=row.time_zone,
        data=found.data or "",
        max_attempts=str(row.max_attempts),
        timeout_seconds="" if row.timeout_seconds is None else _exactly(row.timeout_seconds),
        queue=flow.queue,
        priority=str(flow.priority),
        tags=" ".join(flow.tags),
    )
    # A later version may have stored others.
    return form.model_copy(update={"overlap": row.overlap, "catch_up": row.catch_up})


def _problem(error: InvalidSchedule | ScheduleConflict) -> HttpProblem:
    field = error.field if isinstance(error, InvalidSchedule) else "name"
    return HttpProblem(422, str(error), errors=[FieldError(field, str(error))])


def _number(field: str, typed: str) -> int | None:
    text = typed.strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidSchedule(field, f"{text[:40]!r} is not a whole number.") from None


def _seconds(typed: str) -> float:
    try:
        seconds = float(typed)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        problem = f"{typed[:40]!r} is not a number of seconds above 0."
        raise InvalidSchedule("timeout_seconds", problem)
    return seconds


def _exactly(seconds: float) -> str:
    """Return a number as one types it, so that what is stored again is the same."""
    return f"{Decimal(repr(seconds)).normalize():f}"
