"""The workers that are alive."""

from modhost.web import Page
from modhost_background_jobs.services.overview import Overview


async def show_workers(overview: Overview) -> Page:
    """Show the workers with their load."""
    return Page("workers.html", {"workers": (await overview.look()).workers}, "Workers")
