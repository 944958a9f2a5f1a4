"""Counting the statements that a worker process runs, from outside of its code."""
