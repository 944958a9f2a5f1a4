"""Cancel or retry many jobs by one request."""
