"""SQLite: connections, threads, and whose turn it is to write."""
