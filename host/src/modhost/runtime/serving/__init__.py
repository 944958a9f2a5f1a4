"""Serving a host: one process or several, until a signal asks to stop."""
