"""Whether work costs more when there are more jobs."""
