"""Background jobs for modhost: a durable queue on the database that is there already."""
