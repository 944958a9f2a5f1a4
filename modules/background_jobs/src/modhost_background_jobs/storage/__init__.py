"""What a database does for the queue: the tables, the protocols of a store, wake-ups."""
