"""The pages name all tables of the queue, and the revisions that a first migration reaches."""

import re

from docs.pages import page, section
from modhost.configuration import Configuration
from modhost.database.migrations import newest_of
from modhost.runtime.assembly import build_host
from modhost_background_jobs.storage.tables import BackgroundJobsTable


def test_every_table_is_there() -> None:
    rows = re.findall(r"^\|(.+?)\|", section(page("how-the-queue-works.md"), "The tables"), re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {table.name for table in BackgroundJobsTable.metadata.sorted_tables}


def test_a_first_migration_reaches_the_newest_revisions() -> None:
    shown = re.findall(r"^(\w+) went from revision none to (\d+)\.$", page("operations.md"), re.M)
    host = build_host(Configuration({"host": {"database_url": "sqlite:///unused.db"}}), "web")
    assert dict(shown) == newest_of(host.migrations)
