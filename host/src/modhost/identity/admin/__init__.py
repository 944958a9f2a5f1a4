"""The pages to manage users, roles and tokens, and one's own account."""
