"""Roll-ups of finished jobs: of all of them by the minute, and of each type."""

from modhost_background_jobs.storage.statistics.app_versions import AppVersions, SeenVersion
from modhost_background_jobs.storage.statistics.by_type import TypeStatisticsStore
from modhost_background_jobs.storage.statistics.minutes import StatisticsStore

__all__ = ["AppVersions", "SeenVersion", "StatisticsStore", "TypeStatisticsStore"]
