"""What modules declare, and the routes made of it."""
