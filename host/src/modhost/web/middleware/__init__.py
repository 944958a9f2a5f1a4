"""What stands between the connection and the routes, for every request."""
