"""The pages of users, roles, tokens and one's own account."""
