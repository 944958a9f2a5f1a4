"""What a person asks of the queue: snapshot, one job, timeline, alerts, why a job waits."""
