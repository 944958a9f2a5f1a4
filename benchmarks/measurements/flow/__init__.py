"""What flow control costs, and what it does not."""
