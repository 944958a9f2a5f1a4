"""Ends of jobs that somebody waits for: other jobs, a workflow, a caller."""
