"""Logins by password and by one-time link."""
