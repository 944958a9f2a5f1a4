"""Jobs searched by any conditions, page by page."""

from modhost_background_jobs.queries.search.browser import Count, JobBrowser, JobPage
from modhost_background_jobs.queries.search.conditions import Order, Search
from modhost_background_jobs.queries.search.kinds import Kind, Kinds

__all__ = ["Count", "JobBrowser", "JobPage", "Kind", "Kinds", "Order", "Search"]
