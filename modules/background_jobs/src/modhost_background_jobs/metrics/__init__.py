"""The metrics of background jobs: what a worker has counted, and what waits and runs."""
