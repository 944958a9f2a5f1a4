"""Reports from CSV files, made by background jobs: a small real module."""
