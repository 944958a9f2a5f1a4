"""One job, one schedule, one worker as typed values; job data and job types. No SQL."""
