"""Claims of jobs with flow control on SQLite."""
