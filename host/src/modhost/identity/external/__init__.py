"""Identities that another provider vouches for."""
