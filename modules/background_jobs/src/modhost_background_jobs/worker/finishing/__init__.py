"""Storing what attempts report, and how they finish."""
