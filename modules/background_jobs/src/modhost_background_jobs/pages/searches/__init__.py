"""Searches of the list that people keep."""
