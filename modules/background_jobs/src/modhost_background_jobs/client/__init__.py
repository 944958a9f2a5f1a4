"""The implementations of the contracts."""
