"""How a worker is known to the others, and shows that it is alive."""
