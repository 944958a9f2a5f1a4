"""The queue: tables, statements, wake-ups, schedules."""
