"""Cron expressions: read, described, and their due times. No SQL."""
