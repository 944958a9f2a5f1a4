"""Accounts: users, roles, tokens and sessions, and the audited changes of them."""
