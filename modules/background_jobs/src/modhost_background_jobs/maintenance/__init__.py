"""What consumers do besides jobs: stalled workers, schedules, retention."""
