"""The commands `modhost jobs`."""
