"""What attempts report, and how they ended, on the way to the database."""
