"""Attempts in processes of their own, which can be killed. `-m` on this package is one of them."""
