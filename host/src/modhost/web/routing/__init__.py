"""What modules serve: declared, checked, and routed to."""
