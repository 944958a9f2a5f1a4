"""What a claim of jobs with flow control asks for, finds and decides. No SQL."""
