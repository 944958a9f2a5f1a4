"""Change many jobs by one request."""
