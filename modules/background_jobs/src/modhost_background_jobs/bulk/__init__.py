"""The same change of many jobs."""
