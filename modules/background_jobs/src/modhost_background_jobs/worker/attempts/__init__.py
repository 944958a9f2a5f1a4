"""One attempt: what it is given, how it runs, what its end means."""
