"""Calls of functions: what they return, and on which event loop they may come."""
