"""What workflows, results and steps cost, and what they do not."""
