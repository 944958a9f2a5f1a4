"""SQLite on the bare driver: connections, their threads, and the lock for writing."""
