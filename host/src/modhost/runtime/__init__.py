"""From the configuration to a running host: assembled, checked, started, stopped."""
