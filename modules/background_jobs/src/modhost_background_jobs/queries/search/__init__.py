"""Jobs searched by any conditions, page by page."""

from modhost_background_jobs.queries.search.browser import Count, JobBrowser, JobPage, Search

__all__ = ["Count", "JobBrowser", "JobPage", "Search"]
