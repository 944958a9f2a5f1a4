"""From configuration to a running host: built, checked, started, stopped."""
