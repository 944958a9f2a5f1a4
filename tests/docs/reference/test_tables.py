"""The pages name all tables of the queue, and the revisions that a first migration reaches."""

import re
from pathlib import Path

from docs.pages import ROOT, page, section
from modhost_background_jobs.storage.tables import BackgroundJobsTable

REVISIONS = {
    "modhost": ROOT / "host/src/modhost/migrations/versions",
    "background_jobs": ROOT / "modules/background_jobs/src/modhost_background_jobs/migrations",
    "reports_example": ROOT / "modules/reports_example/src/modhost_reports_example/migrations",
}


def newest(folder: Path) -> str:
    return max(path.name for path in folder.rglob("0*.py"))[:4]


def test_every_table_is_there() -> None:
    rows = re.findall(r"^\|(.+?)\|", section(page("how-the-queue-works.md"), "The tables"), re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {table.name for table in BackgroundJobsTable.metadata.sorted_tables}


def test_a_first_migration_reaches_the_newest_revisions() -> None:
    shown = re.findall(r"^(\w+) went from revision none to (\d+)\.$", page("operations.md"), re.M)
    assert dict(shown) == {name: newest(folder) for name, folder in REVISIONS.items()}
