"""The page "How the queue works" shows the statements as they are sent."""

import pytest

from docs.pages import blocks, page
from modhost_background_jobs.storage.postgres import claim_statements as postgres_claim_statements
from modhost_background_jobs.storage.postgres import lease_statements, maintenance_statements
from modhost_background_jobs.storage.postgres import statements as postgres_statements
from modhost_background_jobs.storage.sqlite import statements as sqlite_statements

SENT = " ".join(
    " ".join(value.split())
    for module in (
        postgres_claim_statements,
        postgres_statements,
        lease_statements,
        maintenance_statements,
        sqlite_statements,
    )
    for value in vars(module).values()
    if isinstance(value, str)
)


@pytest.mark.parametrize("shown", blocks(page("how-the-queue-works.md"), "sql"))
def test_a_statement_that_is_shown_is_sent(shown: str) -> None:
    for part in shown.split("...\n"):
        assert " ".join(part.split()) in SENT
