"""The ways into a session."""
