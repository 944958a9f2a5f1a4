"""The administration of a running host: its settings, and the state it is in."""
