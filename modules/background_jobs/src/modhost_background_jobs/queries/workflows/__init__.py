"""Workflows as they are read: their counts, their jobs, and what these wait for."""
