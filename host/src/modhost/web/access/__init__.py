"""Who sends a request, and whether they may use what it addresses."""
