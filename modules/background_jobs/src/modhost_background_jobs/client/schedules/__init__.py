"""Schedules that people create and edit by hand."""
