"""Users, their passwords and their own account."""
