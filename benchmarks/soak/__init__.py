"""Whether anything grows while jobs come in and go out for long."""
