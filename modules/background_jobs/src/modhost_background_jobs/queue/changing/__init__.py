"""Changes of single jobs that people ask for: retry, run now, reschedule, delete."""
