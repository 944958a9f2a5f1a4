"""`modhost users`, `modhost roles` and `modhost tokens`."""
