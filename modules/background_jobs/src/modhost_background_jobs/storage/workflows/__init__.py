"""Ends of jobs that somebody waits for: other jobs, a workflow, a caller."""

from modhost_background_jobs.storage.workflows.postgres import PostgresWorkflows
from modhost_background_jobs.storage.workflows.rules import WorkflowStatements
from modhost_background_jobs.storage.workflows.sqlite import SqliteWorkflows


def workflow_statements(dialect: str) -> WorkflowStatements:
    """Return the statements of a database, by the name of its dialect."""
    return PostgresWorkflows() if dialect == "postgresql" else SqliteWorkflows()
