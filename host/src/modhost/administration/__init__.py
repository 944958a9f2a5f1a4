"""The administration of a running host: the settings of its modules."""
