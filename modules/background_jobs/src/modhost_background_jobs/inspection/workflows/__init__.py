"""What a person asks of a workflow: how far it is, its graph, its jobs."""
