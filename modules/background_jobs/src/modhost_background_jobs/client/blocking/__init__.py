"""Calls that block: until a job has ended, or a thread until its call is done."""
