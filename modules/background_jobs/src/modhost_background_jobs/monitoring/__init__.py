"""What a person asks of the queue: snapshot, inspection, timeline, alerts."""
