"""The permissions of this module."""

from modhost import Permission

VIEW_JOBS = Permission("BackgroundJobs.ViewJobs", "See jobs, their logs and schedules", ("Viewer",))
MANAGE_JOBS = Permission("BackgroundJobs.ManageJobs", "Cancel, retry and schedule jobs")
