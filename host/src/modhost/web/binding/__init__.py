"""The parameters of handlers, read from requests."""
