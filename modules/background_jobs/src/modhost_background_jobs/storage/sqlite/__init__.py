"""The queue on SQLite, over the one writer connection."""
