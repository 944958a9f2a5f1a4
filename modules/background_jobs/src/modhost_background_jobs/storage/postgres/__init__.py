"""The queue on PostgreSQL, on the bare driver."""
