"""Workflows in the database: stored, grown, cancelled and retried."""
