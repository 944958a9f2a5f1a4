"""Which page is where, and who may open it."""

from modhost.web import Pages
from modhost_background_jobs.contracts import (
    InvalidFlow,
    InvalidJobData,
    JobNotFound,
    WorkerNotFound,
)
from modhost_background_jobs.inspection.queues import UnknownJobType
from modhost_background_jobs.pages import (
    dashboard,
    job,
    job_changes,
    job_list,
    many,
    queues,
    types,
)
from modhost_background_jobs.pages.live import stream
from modhost_background_jobs.pages.recurring import actions as recurring_actions
from modhost_background_jobs.pages.recurring import details as recurring
from modhost_background_jobs.pages.recurring import form as recurring_form
from modhost_background_jobs.pages.recurring import list as recurring_list
from modhost_background_jobs.pages.searches import actions as searches
from modhost_background_jobs.pages.workers import views as workers
from modhost_background_jobs.pages.workflows import views as workflows
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS
from modhost_background_jobs.queue.limits import UnknownLimit


def map_pages(pages: Pages) -> None:
    """Map the pages, and the actions that their forms send."""
    for missing in (JobNotFound, UnknownJobType, UnknownLimit, WorkerNotFound):
        pages.map_error(missing, 404)
    pages.map_error(InvalidFlow, 422)
    pages.map_error(InvalidJobData, 422)
    pages.get("/", dashboard.show_dashboard, permission=VIEW_JOBS)
    pages.get("/list", job_list.show_list, permission=VIEW_JOBS, is_search=True)
    pages.post("/searches", searches.save, permission=VIEW_JOBS)
    pages.post("/searches/forget", searches.forget, permission=VIEW_JOBS)
    pages.get("/workers", workers.show_workers, permission=VIEW_JOBS)
    pages.post("/workers/quiet", workers.quiet, permission=MANAGE_JOBS)
    pages.post("/workers/resume", workers.resume, permission=MANAGE_JOBS)
    pages.get("/events", stream.send_changes, permission=VIEW_JOBS)
    pages.get("/many", many.confirm_by_link, permission=MANAGE_JOBS)
    pages.post("/many", many.confirm, permission=MANAGE_JOBS)
    pages.post("/many/apply", many.apply, permission=MANAGE_JOBS)
    pages.get("/recurring", recurring_list.show_schedules, permission=VIEW_JOBS, is_search=True)
    pages.post("/recurring", recurring_actions.change, permission=MANAGE_JOBS)
    pages.get("/recurring/new", recurring_form.ask_new, permission=MANAGE_JOBS)
    pages.post("/recurring/new", recurring_form.create, permission=MANAGE_JOBS)
    pages.get("/recurring/preview", recurring_form.preview, permission=MANAGE_JOBS)
    pages.get("/recurring/{id}/edit", recurring_form.ask_edit, permission=MANAGE_JOBS)
    pages.post("/recurring/{id}/edit", recurring_form.edit, permission=MANAGE_JOBS)
    pages.get("/recurring/{id}", recurring.show_schedule, permission=VIEW_JOBS)
    pages.post("/recurring/{id}/toggle", recurring_actions.toggle, permission=MANAGE_JOBS)
    pages.post("/recurring/{id}/enable", recurring_actions.enable, permission=MANAGE_JOBS)
    pages.post("/recurring/{id}/disable", recurring_actions.disable, permission=MANAGE_JOBS)
    pages.post("/recurring/{id}/run", recurring_actions.run_now, permission=MANAGE_JOBS)
    pages.get("/recurring/{id}/delete", recurring.confirm_delete, permission=MANAGE_JOBS)
    pages.post("/recurring/{id}/delete", recurring_actions.delete, permission=MANAGE_JOBS)
    pages.get("/queues", queues.show_queues, permission=VIEW_JOBS)
    pages.get("/queues/pause", queues.ask_pause, permission=MANAGE_JOBS)
    pages.post("/queues/pause", queues.pause, permission=MANAGE_JOBS)
    pages.post("/queues/resume", queues.resume, permission=MANAGE_JOBS)
    pages.get("/queues/limit", queues.ask_limit, permission=MANAGE_JOBS)
    pages.post("/queues/limit", queues.set_limit, permission=MANAGE_JOBS)
    pages.post("/queues/limit/reset", queues.reset_limit, permission=MANAGE_JOBS)
    pages.get("/types", types.show_types, permission=VIEW_JOBS)
    pages.get("/types/{job_type:path}", types.show_type, permission=VIEW_JOBS)
    pages.get("/workflows", workflows.show_workflows, permission=VIEW_JOBS)
    pages.get("/workflows/{id}", workflows.show_workflow, permission=VIEW_JOBS)
    pages.get("/workflows/{id}/cancel", workflows.confirm_cancel, permission=MANAGE_JOBS)
    pages.post("/workflows/{id}/cancel", workflows.cancel, permission=MANAGE_JOBS)
    pages.get("/workflows/{id}/retry", workflows.confirm_retry, permission=MANAGE_JOBS)
    pages.post("/workflows/{id}/retry", workflows.retry, permission=MANAGE_JOBS)
    pages.get("/{id}", job.show_job, permission=VIEW_JOBS)
    pages.post("/{id}/run-now", job_changes.run_now, permission=MANAGE_JOBS)
    pages.get("/{id}/reschedule", job_changes.ask_time, permission=MANAGE_JOBS)
    pages.post("/{id}/reschedule", job_changes.reschedule, permission=MANAGE_JOBS)
    pages.get("/{id}/delete", job_changes.confirm_delete, permission=MANAGE_JOBS)
    pages.post("/{id}/delete", job_changes.delete, permission=MANAGE_JOBS)
    pages.get("/{id}/log.txt", job.download_log, permission=VIEW_JOBS)
    pages.get("/{id}/input.json", job.download_input, permission=VIEW_JOBS)
    pages.get("/{id}/result.json", job.download_result, permission=VIEW_JOBS)
    pages.post("/{id}/cancel", job.cancel, permission=MANAGE_JOBS)
    pages.post("/{id}/retry", job.retry, permission=MANAGE_JOBS)
    pages.get("/{id}/run-again", job.edit_input, permission=MANAGE_JOBS)
    pages.post("/{id}/run-again", job.run_again, permission=MANAGE_JOBS)
