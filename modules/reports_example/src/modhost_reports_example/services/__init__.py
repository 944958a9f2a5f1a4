"""What stands behind the contract."""
