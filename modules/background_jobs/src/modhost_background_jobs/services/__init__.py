"""What stands behind the contracts."""
