"""One time for all hosts: the clock of the queue, and what others show when theirs are wrong."""
