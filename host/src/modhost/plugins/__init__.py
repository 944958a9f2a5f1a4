"""Modules: found as installed packages, ordered, and called by their hooks."""
