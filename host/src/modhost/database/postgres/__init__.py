"""PostgreSQL: its address, and connections without the ORM."""
