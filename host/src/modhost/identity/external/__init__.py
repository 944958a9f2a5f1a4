"""Identities of external providers."""
